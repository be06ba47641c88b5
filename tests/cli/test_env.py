"""``orchestra env``: the tunnels of a running one, for whoever reads variables."""

import json
import socket

import pytest


def test_nothing_runs(cli):
    ran = cli("env")
    assert (ran.code, ran.out, "no orchestra is running" in ran.err) == (1, "", True)


def test_its_variables_lead_through_the_tunnel(ready):
    values = json.loads(ready("env", "-o", "json").out)
    address = values["ORCHESTRA_DB_ADDRESS"]
    assert values["DATABASE_URL"] == f"postgresql://{address}/app"
    with socket.create_connection((values["ORCHESTRA_DB_HOST"], int(values["ORCHESTRA_DB_PORT"])), 10) as connected:
        connected.shutdown(socket.SHUT_WR)
        assert connected.makefile().read() == "db on db\n"


@pytest.mark.parametrize(("form", "prefix"), [("shell", "export "), ("dotenv", ""), ("github", "")])
def test_each_reader_has_its_form(ready, form, prefix):
    address = json.loads(ready("env", "-o", "json").out)["ORCHESTRA_DB_ADDRESS"]
    assert f"{prefix}ORCHESTRA_DB_ADDRESS={address}" in ready("env", "office", "-o", form).out.splitlines()
