"""Rules with their names resolved."""

from __future__ import annotations

from ipaddress import ip_network

from orchestra.model.topology import Selector
from tests.loading.words import host


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
