"""``orchestra demo``: the proof, in a lab of this process."""

import pytest

from orchestra.assembly import demo as steps
from tests.cli.instances import UNREACHABLE

OFFICE = """\
networks: {internet: , office: 10.20.0.0/24}
clients: {laptop: {networks: [internet]}}
firewalls:
  edge:
    networks: {internet: 198.51.100.1, office: 10.20.0.1}
    rules: [{allow: {from: internet, to: gateway, ports: [22]}}]
servers: {gateway: {networks: {office: 10.20.0.2}}}
targets: {desk: {networks: {office: 10.20.0.30}, address: 5900}}
tunnels: {desk: {listen: auto}}
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(steps, "SAMPLE", 1 << 20)


def test_what_fails_by_itself_works_and_the_firewall_agrees(run_cli):
    ran = run_cli("demo", "office.yaml", "--lab", "embedded", files={"office.yaml": OFFICE})
    assert ran.code == 0, ran.err
    assert "laptop dials 10.20.0.30:5900: " in ran.out
    assert "desk on desk" in ran.out
    assert "1 MiB" in ran.out
    assert "edge: 1 to tcp port 22" in ran.out


def test_what_cannot_be_reached_is_explained_and_nothing_is_opened(run_cli):
    ran = run_cli("demo", "office.yaml", "--lab", "embedded", files={"office.yaml": UNREACHABLE})
    assert ran.code == 3
    assert "FIREWALL_" in ran.err
    assert "without orchestra" not in ran.out
