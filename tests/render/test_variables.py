"""Tunnels as variables, and that nothing in a value is ever executed or expanded."""

import json
import subprocess

import pytest

from orchestra.errors import UsageError
from orchestra.model.plan import Plan, PlannedTunnel
from orchestra.model.status import TunnelStatus
from orchestra.model.topology import Tunnel
from orchestra.render.variables import variables, variables_text

NASTY = {"A": "plain", "B": 'it\'s $HOME `id` "q" \\ !', "C": "two\nlines", "D": "", "E": "a b#c"}


def of(listen, env=None, name="desk-vnc"):
    """The variables of one tunnel that is bound there."""
    tunnel = PlannedTunnel(name=name, kind="tcp", verdict="reachable", spec=Tunnel(name=name, to="t", env=env or {}))
    status = TunnelStatus(name=name, state="ready", proven=True, listen=tuple(listen))
    return variables(Plan(topology="t", client="c", tunnels=(tunnel,)), [status])


@pytest.mark.parametrize(
    ("listen", "host", "address"),
    [
        (["[::1]:5920", "127.0.0.1:5920"], "127.0.0.1", "127.0.0.1:5920"),
        (["[::1]:5920"], "::1", "[::1]:5920"),
        (["*:5920"], "127.0.0.1", "127.0.0.1:5920"),
        (["10.0.0.5:5920"], "10.0.0.5", "10.0.0.5:5920"),
    ],
)
def test_host_is_a_literal_that_is_bound(listen, host, address):
    assert of(listen) == {
        "ORCHESTRA_DESK_VNC_HOST": host,
        "ORCHESTRA_DESK_VNC_PORT": "5920",
        "ORCHESTRA_DESK_VNC_ADDRESS": address,
    }


def test_a_unix_socket_has_an_address_only():
    assert of(["unix:/run/db.sock"], name="db.1") == {"ORCHESTRA_DB_1_ADDRESS": "/run/db.sock"}


def test_what_is_not_bound_has_no_variables():
    assert of([], env={"X": "{host}"}) == {}


def test_the_tunnels_own_variables():
    env = {"URL": "vnc://{host}:{port}/{x}", "PORT": "{port}", "ADDRESS": "{address}", "HOST": "{host}"}
    found = of(["[::1]:5920"], env=env)
    assert {key: found[key] for key in env} == {
        "URL": "vnc://[::1]:5920/{x}",
        "PORT": "5920",
        "ADDRESS": "[::1]:5920",
        "HOST": "::1",
    }


def test_a_shell_reads_what_was_meant():
    script = variables_text(NASTY, "shell") + "\n" + "\n".join(f'printf "%s\\0" "${name}"' for name in NASTY)
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == list(NASTY.values())


def test_dotenv_quotes_what_needs_it():
    assert variables_text(NASTY, "dotenv").splitlines() == [
        "A=plain",
        'B="it\'s \\$HOME \\`id\\` \\"q\\" \\\\ !"',
        'C="two\\nlines"',
        "D=",
        "E='a b#c'",
    ]


def test_json():
    assert json.loads(variables_text(NASTY, "json")) == NASTY


def test_github_wraps_what_has_lines_in_a_delimiter_that_is_not_in_it():
    lines = variables_text({"A": "x", "C": "two\nlines"}, "github").splitlines()
    assert lines[0] == "A=x"
    name, end = lines[1].split("<<")
    assert (name, lines[2:]) == ("C", ["two", "lines", end])
    assert len(end) > 32


@pytest.mark.parametrize("form", ["shell", "dotenv", "github"])
def test_names_that_a_shell_would_run_are_refused(form):
    with pytest.raises(UsageError, match="x; id"):
        variables_text({"x; id": "1"}, form)
