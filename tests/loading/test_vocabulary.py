"""The whole vocabulary, form by form: every line of the example loads, and means what it says."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from orchestra.loading import Loaded, load
from orchestra.model.address import Endpoint
from orchestra.model.topology import (
    Attachment,
    CheckRef,
    DnsName,
    Expectation,
    Forwarding,
    Masquerade,
    PortForward,
    SecretRef,
    Selector,
    Topology,
    TransportRef,
    Tunnel,
)
from tests.loading.words import VOCABULARY

FILE = Path(__file__).parent / "vocabulary.yaml"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load([str(FILE)], environ={"HOME": "/home/u"}, vocabulary=VOCABULARY)


@pytest.fixture
def topology(loaded: Loaded) -> Topology:
    assert loaded.topology is not None
    return loaded.topology


def test_nothing_is_wrong_with_it(loaded: Loaded) -> None:
    assert loaded.diagnostics == ()
    assert loaded.topology == loaded.partial


def test_head(topology: Topology) -> None:
    assert topology.name == "office"
    assert topology.requires == {"orchestra": ">=0.1"}
    assert str(topology.place_of("tunnels", "desk", "check", "every")) == f"{FILE}:84:24"


def test_networks(topology: Topology) -> None:
    assert topology.networks["internet"].cidrs == ()
    assert topology.networks["office"].cidrs == (ip_network("10.20.0.0/24"),)


def test_hosts(topology: Topology) -> None:
    kinds = {name: host.kind for name, host in topology.hosts.items()}
    assert kinds == {
        "laptop": "client",
        "edge": "firewall",
        "gateway": "server",
        "desk-vnc": "target",
        "files": "target",
        "dns": "target",
    }
    assert topology.hosts["laptop"].attachments == (Attachment(network="internet"),)
    assert topology.hosts["laptop"].server is None
    assert topology.hosts["files"].behind == ("gateway",)


def test_firewall(topology: Topology) -> None:
    edge = topology.hosts["edge"]
    assert edge.attachments == (
        Attachment(network="internet", addresses=(ip_address("198.51.100.1"),)),
        Attachment(network="office", addresses=(ip_address("10.20.0.1"),)),
    )
    ssh, web, rest = edge.rules
    assert (ssh.name, ssh.action, ssh.ports, ssh.index) == ("ops-ssh", "allow", ((22, 22),), 0)
    assert ssh.sources == (Selector(kind="network", text="internet", name="internet"),)
    assert ssh.destinations == (Selector(kind="host", text="gateway", name="gateway"),)
    assert (web.ports, web.protocol) == (((443, 443), (8000, 8100)), "tcp")
    assert (rest.action, rest.protocol, rest.sources) == ("deny", "any", (Selector(kind="any", text="any"),))
    assert edge.nat == (
        PortForward(network="internet", port=2222, host="gateway", to_port=22),
        Masquerade(network="internet"),
    )


def test_server(topology: Topology) -> None:
    gateway = topology.hosts["gateway"]
    server = gateway.server
    assert server is not None
    assert gateway.names == (DnsName(text="gw.office.example"),)
    ssh = server.ssh
    assert (ssh.host, ssh.port, ssh.user, ssh.config_host) == ("gw.office.example", 22, "alice", "gw")
    assert (ssh.ssh_config, ssh.identity) == ("/home/u/.ssh/config", ("/home/u/.ssh/id_ed25519",))
    assert ssh.password == SecretRef(kind="env", value="GW_PASSWORD")
    assert ssh.host_key[0].startswith("ssh-ed25519 AAAAC3")
    assert (ssh.host_key_name, ssh.host_key_policy, ssh.keepalive, ssh.connect_timeout) == ("gw", "strict", 15.0, 10.0)
    assert server.transport == TransportRef(type="ssh")
    assert server.forwarding == Forwarding(gateway_ports="clientspecified")


def test_targets(topology: Topology) -> None:
    found = {name: (target.host, target.address, target.protocol) for name, target in topology.targets.items()}
    assert found == {
        "desk-vnc": ("desk-vnc", Endpoint("10.20.0.30", 5900), "tcp"),
        "qemu": ("gateway", Endpoint("127.0.0.1", 5930), "tcp"),
        "files": ("files", Endpoint("files.office.example", 445), "tcp"),
        "dns": ("dns", Endpoint(None, 53), "udp"),
        "dev-web": ("laptop", Endpoint("127.0.0.1", 3000), "tcp"),
    }


def test_tunnels(topology: Topology) -> None:
    assert topology.tunnels == {
        "desk": Tunnel(
            name="desk",
            to="desk-vnc",
            from_="laptop",
            listen=Endpoint("localhost", 5920),
            via=("gateway",),
            failover=True,
            check=CheckRef(type="vnc", every=60.0),
            optional=True,
            env={"VNC_URL": "vnc://{host}:{port}"},
            profiles=("graphics",),
        ),
        "callback": Tunnel(
            name="callback",
            to="dev-web",
            from_="office",
            at="gateway",
            listen=Endpoint("10.20.0.2", 8080),
            failover=True,
        ),
        "office-socks": Tunnel(
            name="office-socks",
            kind="socks",
            exit="gateway",
            listen=Endpoint("localhost", 1080),
            failover=True,
            check=CheckRef(type="none"),
            options={"allow": ["10.20.0.0/24:*", "*.office.example:443"]},
        ),
    }


def test_expectations(topology: Topology) -> None:
    assert topology.expectations == (
        Expectation(from_="laptop", to="desk-vnc", verdict="reachable", via=("gateway",)),
        Expectation(from_="laptop", to="10.20.0.30:22", verdict="unreachable", direct=True),
    )
