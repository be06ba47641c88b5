"""The vocabulary's long example, and what becomes of a text in the planner."""

from __future__ import annotations

from pathlib import Path

from orchestra.loading import load
from orchestra.model.topology import Topology
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
