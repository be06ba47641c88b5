"""Networks, hosts and targets in every form."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from orchestra.model.address import Endpoint, UnixPath
from orchestra.model.topology import Attachment, DnsName
from tests.loading.words import host, read, said, topology


def test_networks_in_every_form() -> None:
    found = topology("networks: {a: , b: 10.0.0.0/24, c: [10.1.0.0/24, fd00::/64], d: {cidr: 10.2.0.0/24}, e: {}}\n")
    cidrs = {name: [str(cidr) for cidr in network.cidrs] for name, network in found.networks.items()}
    assert cidrs == {"a": [], "b": ["10.0.0.0/24"], "c": ["10.1.0.0/24", "fd00::/64"], "d": ["10.2.0.0/24"], "e": []}


def test_attachments_and_names_in_every_form() -> None:
    networks = "networks: {a: , b: , c: }\n"
    listed = host(networks + "clients: {x: {networks: [b, a], names: x.example}}\n", "x")
    assert listed.attachments == (Attachment(network="a"), Attachment(network="b"))
    assert listed.names == (DnsName(text="x.example"),)
    mapped = host(
        networks
        + "clients: {x: {networks: {a: 10.0.0.1, b: [10.0.0.2, fd00::2], c: }, names: {a: [x.a, y.a], b: x.b}}}\n",
        "x",
    )
    assert [attachment.addresses for attachment in mapped.attachments] == [
        (ip_address("10.0.0.1"),),
        (ip_address("10.0.0.2"), ip_address("fd00::2")),
        (),
    ]
    assert mapped.names == (
        DnsName(text="x.a", network="a"),
        DnsName(text="y.a", network="a"),
        DnsName(text="x.b", network="b"),
    )


def test_a_client_or_firewall_with_ssh_is_a_server_too() -> None:
    found = topology(
        "clients: {a: {ssh: u@a, cost: 2}, b: }\nfirewalls: {f: {ssh: {port: 2222}}, g: {}}\nservers: {s: }\n"
    )
    assert {name for name, host in found.hosts.items() if host.server is not None} == {"a", "f", "s"}
    assert found.hosts["a"].server is not None
    assert found.hosts["a"].server.cost == 2
    assert said(read("clients: {a: {forwarding: {}}}\n")) == ["1:15 BAD_VALUE"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("{host: s, address: 80}", Endpoint(None, 80)),
        ("{host: s, address: '*:80'}", Endpoint(None, 80)),
        ("{host: s, address: 0777}", Endpoint(None, 777)),
        ("{host: s, address: '[::1]:80'}", Endpoint("::1", 80)),
        ("{host: s, address: 'fd00::1/80'}", Endpoint("fd00::1", 80)),
        ("{host: s, display: 1}", Endpoint(None, 5901)),
        ("{host: s, address: '::1', display: 1}", Endpoint("::1", 5901)),
        ("{host: s, address: unix:/run/x}", UnixPath("/run/x")),
        ("unix:/run/x", UnixPath("/run/x")),
        ("'[fd00::1]:80'", Endpoint("fd00::1", 80)),
    ],
)
def test_addresses_of_targets(text: str, address: object) -> None:
    assert topology(f"servers: {{s: }}\ntargets: {{t: {text}}}\n").targets["t"].address == address


def test_a_broken_rule_leaves_the_others_their_numbers() -> None:
    loaded = read("firewalls: {f: {rules: [{allow: {}}, {alow: {}}, {deny: {}}]}}\n")
    assert said(loaded) == ["1:39 UNKNOWN_KEY"]
    assert [rule.index for rule in loaded.partial.hosts["f"].rules] == [0, 2]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("clients: {c: {networks: [lan, lan]}}", ["BAD_VALUE"]),
        ("clients: {c: {networks: [5]}}", ["BAD_TYPE"]),
        ("clients: {c: {networks: {lan: 10.1.0.5/24}}}", ["BAD_ADDRESS"]),
        ("clients: {c: {cost: 5}}", ["BAD_VALUE"]),
        ("servers: {s: {cost: -1}}", ["BAD_VALUE"]),
        ("targets: {t: db}", ["BAD_ADDRESS"]),
        ("targets: {t: {address: db}}", ["BAD_ADDRESS"]),
        ("targets: {t: {}}", ["MISSING_KEY"]),
        ("targets: {t: {address: 'db:80', display: 1}}", ["BAD_VALUE"]),
        ("targets: {t: {host: c, address: 80, networks: [lan]}}\nclients: {c: }", ["BAD_VALUE"]),
        ("firewalls: {f: {rules: [{}]}}", ["MISSING_KEY"]),
        ("firewalls: {f: {rules: [{allow: {}, deny: {}}]}}", ["BAD_VALUE"]),
        ("firewalls: {f: {networks: [lan], nat: [{network: lan}]}}", ["MISSING_KEY"]),
        ("firewalls: {f: {networks: [lan], nat: [{network: lan, port: 22, to: f, masquerade: yes}]}}", ["BAD_VALUE"]),
    ],
)
def test_what_a_host_cannot_be(text: str, errors: list[str]) -> None:
    assert [str(each.code) for each in read(f"networks: {{lan: 10.1.0.0/24}}\n{text}\n").diagnostics] == errors
