"""Rules with their names resolved."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from orchestra.model.topology import Masquerade, PortForward, Selector
from tests.loading.words import host, read


def test_selectors() -> None:
    rule = host(
        "networks: {office: }\nservers: {s: }\ntargets: {t: {host: s, address: 1}, own: {address: 2}}\n"
        "firewalls: {f: {rules: [{deny: {from: [office, s, t, own, 10.0.0.0/8, 10.0.0.1, any]}}], inbound: []}}\n",
        "f",
    ).rules[0]
    assert rule.sources == (
        Selector(kind="network", text="office", name="office"),
        Selector(kind="host", text="s", name="s"),
        Selector(kind="host", text="t", name="s"),
        Selector(kind="host", text="own", name="own"),
        Selector(kind="cidr", text="10.0.0.0/8", cidr=ip_network("10.0.0.0/8")),
        Selector(kind="cidr", text="10.0.0.1", cidr=ip_network("10.0.0.1/32")),
        Selector(kind="any", text="any"),
    )
    assert rule.destinations == (Selector(kind="any", text="any"),)


NAT = (
    "networks: {net: , lan: 10.1.0.0/24, off: 10.9.0.0/24}\n"
    "servers: {gate: {networks: {lan: 10.1.0.2}}}\ntargets: {web: {host: gate, address: 80}}\n"
    "firewalls: {edge: {networks: {net: 198.51.100.1, lan: 10.1.0.1}, nat: [%s]}}\n"
)


@pytest.mark.parametrize(
    ("entry", "built"),
    [
        ("{network: net, port: 2222, to: 'gate:22'}", PortForward(network="net", port=2222, host="gate", to_port=22)),
        ("{network: net, port: 80, to: web}", PortForward(network="net", port=80, host="gate", to_port=80)),
        ("{network: net, port: 9, to: '10.1.0.2:22'}", PortForward(network="net", port=9, host="gate", to_port=22)),
        ("{network: lan, masquerade: yes}", Masquerade(network="lan")),
    ],
)
def test_nat_in_every_form(entry: str, built: object) -> None:
    assert host(NAT % entry, "edge").nat == (built,)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("{network: off, masquerade: yes}", "BAD_VALUE"),  # the firewall is not on it
        ("{network: gone, masquerade: yes}", "UNKNOWN_NAME"),
        ("{network: net, port: 1, to: 'nobody:22'}", "UNKNOWN_NAME"),
        ("{network: net, port: 1, to: '10.1.0.99:22'}", "UNKNOWN_NAME"),
        ("{network: net, port: 1, to: '22'}", "BAD_ADDRESS"),
        ("{network: net, port: 1, to: 'gate:70000'}", "BAD_ADDRESS"),
    ],
)
def test_nat_that_leads_nowhere_is_left_out(entry: str, error: str) -> None:
    loaded = read(NAT % entry)
    assert [str(each.code) for each in loaded.diagnostics] == [error]
    assert loaded.partial.hosts["edge"].nat == ()


def test_a_selector_that_names_nobody_matches_nobody() -> None:
    loaded = read("firewalls: {f: {rules: [{allow: {from: [nobody, any], to: 10.0.0.1/8}}]}}\n")
    assert [str(each.code) for each in loaded.diagnostics] == ["UNKNOWN_NAME", "BAD_CIDR"]
    [rule] = loaded.partial.hosts["f"].rules
    assert ([each.text for each in rule.sources], rule.destinations) == (["any"], ())
