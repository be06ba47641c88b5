"""The vocabulary's long example, from text to plan, every address checked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.diagnostics import Code, Diagnostic
from orchestra.loading import load
from orchestra.model.plan import Plan
from orchestra.model.topology import Topology
from orchestra.planning import check_expectations, check_statically, make_plan
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, SecretSpec, TransportSpec, Vocabulary

VOCABULARY = Vocabulary(
    transports={"ssh": TransportSpec(name="ssh")},
    kinds={
        "tcp": KindSpec(name="tcp"),
        "udp": KindSpec(name="udp", protocols=("udp",)),
        "socks": KindSpec(name="socks", to="no", exit="required"),
    },
    checks={name: CheckSpec(name=name) for name in ("tcp", "vnc")},
    secrets={name: SecretSpec(name=name) for name in ("env", "file", "command")},
)

OFFICE = """\
version: 1
name: office
networks:
  internet:
  office: 10.20.0.0/24
defaults:
  servers: {ssh: {user: ops}}
clients:
  laptop:
    networks: [internet]
firewalls:
  edge:
    networks: {internet: 198.51.100.1, office: 10.20.0.1}
    rules:
      - {name: ops-ssh, allow: {from: internet, to: gateway, ports: [22]}}
      - {allow: {from: office, to: any, ports: [443, 8000-8100], protocol: tcp}}
      - {deny: {from: any, to: any, protocol: any}}
    nat:
      - {network: internet, port: 2222, to: "gateway:22"}
      - {network: internet, masquerade: true}
servers:
  gateway:
    networks: {office: 10.20.0.2}
    names: [gw.office.example]
    ssh: {host: gw.office.example, port: 22, user: alice}
    forwarding: {gateway_ports: clientspecified, permit_open: any, permit_listen: any}
targets:
  desk-vnc: {networks: {office: 10.20.0.30}, address: "10.20.0.30:5900"}
  qemu: {host: gateway, address: 127.0.0.1, display: 30}
  files: {address: "files.office.example:445", behind: gateway}
  dns: {networks: {office: 10.20.0.53}, address: 53, protocol: udp}
  dev-web: {host: laptop, address: "127.0.0.1:3000"}
tunnels:
  desk: {to: desk-vnc, from: laptop, listen: "localhost:5920", via: [gateway], failover: true}
  screen: {to: qemu}
  files: {}
  callback: {at: gateway, listen: "10.20.0.2:8080", from: office, to: dev-web}
  names: {to: dns, kind: udp, listen: "localhost:5353"}
expect:
  - {from: laptop, to: desk-vnc, verdict: reachable, via: [gateway]}
  - {from: laptop, to: "10.20.0.30:22", direct: true, verdict: unreachable}
"""


def loaded(tmp_path: Path, text: str) -> Topology:
    file = tmp_path / "office.yaml"
    file.write_text(text)
    found = load([str(file)], environ={"HOME": str(tmp_path)}, vocabulary=VOCABULARY)
    assert found.topology is not None, found.diagnostics
    return found.topology


def plan(tmp_path: Path, text: str) -> Plan:
    return make_plan(loaded(tmp_path, text), vocabulary=VOCABULARY)


def failed(tmp_path: Path, text: str) -> tuple[Diagnostic, ...]:
    return check_expectations(loaded(tmp_path, text), vocabulary=VOCABULARY)


def test_every_address_of_the_example(tmp_path: Path) -> None:
    made = plan(tmp_path, OFFICE)
    [session] = made.sessions
    assert (session.id, session.via, session.dial.by, str(session.dial), session.dial.means) == (
        "gateway",
        None,
        "laptop",
        "198.51.100.1:2222",
        "gateway",
    )
    dials = {
        each.name: (each.direction, each.path, f"{each.dial.by} → {each.dial} = {each.dial.means}")
        for each in made.tunnels
        if each.dial
    }
    out = ("laptop", "gateway")
    assert dials == {
        "desk": ("local", out, "gateway → 10.20.0.30:5900 = desk-vnc"),
        "screen": ("local", out, "gateway → 127.0.0.1:5930 = gateway"),
        "files": ("local", out, "gateway → files.office.example:445 = files"),
        "callback": ("remote", ("gateway", "laptop"), "laptop → 127.0.0.1:3000 = laptop"),
        "names": ("local", out, "gateway → 10.20.0.53:53 = dns"),
    }
    listen = {each.name: each.listen.addresses for each in made.tunnels if each.listen}
    assert listen == {
        "desk": ("127.0.0.1:5920", "[::1]:5920"),
        "screen": ("127.0.0.1:5930", "[::1]:5930"),
        "files": ("127.0.0.1:auto", "[::1]:auto"),
        "callback": ("10.20.0.2:8080",),
        "names": ("127.0.0.1:5353", "[::1]:5353"),
    }
    assert {(each.code, each.tunnel) for each in made.diagnostics} == {
        (Code.LISTEN_EXPOSED, "callback"),
        (Code.LISTEN_ANY_PORT, "files"),
        (Code.ASSUMED_NAME_RESOLVES, "files"),
    }


def test_its_expectations_hold_and_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    topology = loaded(tmp_path, OFFICE)
    assert check_expectations(topology, vocabulary=VOCABULARY) == ()
    assert [each for each in check_statically(topology, vocabulary=VOCABULARY) if each.severity == "error"] == []


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        ("{from: laptop, to: desk-vnc, verdict: unreachable}", False),
        ("{from: laptop, to: desk-vnc, direct: true, verdict: unreachable}", True),
        ("{from: laptop, to: gateway, direct: true, verdict: reachable}", True),
        ("{from: office, to: 'desk-vnc', direct: true, verdict: reachable}", True),
        ("{from: office, to: '10.20.0.30:5900', direct: true, verdict: reachable}", True),
        ("{from: internet, to: 'gateway:22', direct: true, verdict: reachable}", True),
        ("{from: internet, to: 'gateway:23', direct: true, verdict: reachable}", False),
        ("{from: gateway, to: desk-vnc, verdict: reachable}", True),
        ("{from: laptop, to: '10.20.0.30:5901', verdict: reachable}", True),
    ],
)
def test_expectations(tmp_path: Path, entry: str, holds: bool) -> None:
    text = OFFICE[: OFFICE.index("expect:")] + f"expect:\n  - {entry}\n"
    found = failed(tmp_path, text)
    assert (found == ()) is holds
    for each in found:
        assert each.code is Code.EXPECT_FAILED
        assert each.place is not None
        assert each.place.line == OFFICE[: OFFICE.index("expect:")].count("\n") + 2


def test_a_denying_firewall_is_named_with_file_and_line(tmp_path: Path) -> None:
    made = plan(tmp_path, OFFICE.replace("ports: [22]}", "ports: [2022]}"))
    denied = [each for each in made.diagnostics if each.tunnel == "desk" and each.severity == "error"]
    line = 1 + OFFICE[: OFFICE.index("- {deny: {from: any")].count("\n")
    assert [(each.code, each.place.line if each.place else None) for each in denied] == [
        (Code.FIREWALL_DENY_RULE, line)
    ]
    assert "'ops-ssh' differs in `ports`" in (denied[0].suggestion or "")


def test_static_checks(tmp_path: Path) -> None:
    text = """\
servers: {bastion: ci@bastion.example.com}
targets:
  db: {address: "127.0.0.1:5432", networks: {}}
  web: web.internal:8080
  api: api.internal:8080
firewalls:
  f: {networks: {n: 10.0.0.1}, rules: [{allow: {from: any, to: any}}, {deny: {from: n, to: any, ports: [22]}}]}
networks: {n: 10.0.0.0/24}
"""
    found = check_statically(loaded(tmp_path, text), vocabulary=VOCABULARY)
    assert {each.code for each in found} == {Code.LOOPBACK_ELSEWHERE, Code.LISTEN_CONFLICT, Code.RULE_SHADOWED}
    assert all(each.place for each in found)
