"""What is missing, granted: as rules in front of all others, and as what sshd permits."""

from __future__ import annotations

import pytest

from orchestra.model.plan import Missing
from orchestra.planning.explaining.permissions import rule_of, with_permissions
from orchestra.planning.sshd import permits
from tests.planning.make import allow, deny, numbered, selectors, server, topology
from tests.planning.office import DB, HERE, LAN, NET, edge

PLACE = {"to": "gate", "address": "10.1.0.2", "port": 22, "protocol": "tcp"}
SHUT = server(
    "gate", {"lan": "10.1.0.2"}, forwarding={"local": False, "remote": False, "permit_open": (), "unix": False}
)
GROUND = topology(NET, LAN, HERE, edge(deny("any", "any")), SHUT, DB)


def missing(kind: str = "firewall", at: str = "edge", from_: str = "here", **more: object) -> Missing:
    return Missing(kind=kind, at=at, from_=from_, **{**PLACE, **more})  # type: ignore[arg-type]


def test_a_rule_stands_in_front_of_all_others() -> None:
    first, second = with_permissions(GROUND, (missing(),)).hosts["edge"].rules
    assert (first.action, first.ports, first.protocol, first.index) == ("allow", ((22, 22),), "tcp", 0)
    assert (first.sources, first.destinations) == (selectors("here"), selectors("gate"))
    assert (second.action, second.index) == ("deny", 1)


def test_inbound_is_another_list_than_the_rules() -> None:
    found = with_permissions(GROUND, (missing(setting="inbound"),)).hosts["edge"]
    assert len(found.rules) == 1
    assert [each.action for each in found.inbound or ()] == ["allow"]


@pytest.mark.parametrize(
    ("from_", "to", "address", "said"),
    [
        ("here", "gate", "10.1.0.2", ("here", "gate")),
        ("net", None, "192.0.2.7", ("@net", "192.0.2.7")),
        ("203.0.113.1", None, None, ("203.0.113.1", "any")),
    ],
)
def test_a_rule_names_hosts_networks_and_addresses(
    from_: str, to: str | None, address: str | None, said: tuple[str, str]
) -> None:
    made = rule_of(GROUND, missing(from_=from_, to=to, address=address, port=None))
    expected = numbered([allow(*said)])[0]
    assert (made.sources, made.destinations, made.ports) == (expected.sources, expected.destinations, ())


def test_only_what_is_asked_for_is_permitted_by_a_server() -> None:
    asked = (
        missing("sshd", "gate", setting="local"),
        missing("sshd", "gate", setting="permit_open", address="::1", port=80),
        missing("sshd", "gate", setting="gateway_ports"),
    )
    part = with_permissions(GROUND, asked).hosts["gate"].server
    assert part is not None
    found = part.forwarding
    assert (found.local, found.remote, found.unix, found.gateway_ports) == (True, False, False, "clientspecified")
    assert found.permit_open == ("[::1]:80",)
    assert permits("[::1]:80", "::1", 80)


@pytest.mark.parametrize(
    ("setting", "address", "port", "entry"),
    [("permit_listen", "*", 80, "*:80"), ("permit_listen", "localhost", None, "localhost:*")],
)
def test_listeners_are_permitted_as_sshd_writes_them(setting: str, address: str, port: int | None, entry: str) -> None:
    shut = server("gate", {"lan": "10.1.0.2"}, forwarding={"permit_listen": ()})
    source = topology(NET, LAN, HERE, shut)
    part = (
        with_permissions(source, (missing("sshd", "gate", setting=setting, address=address, port=port),))
        .hosts["gate"]
        .server
    )
    assert part is not None
    assert part.forwarding.permit_listen == (entry,)
    assert permits(entry, "" if address == "*" else address, port or 0)


def test_the_topology_itself_is_left_alone() -> None:
    with_permissions(
        GROUND, (missing(), missing("sshd", "gate", setting="remote"), missing("sshd", "gate", setting="unix"))
    )
    assert len(GROUND.hosts["edge"].rules) == 1
    assert with_permissions(GROUND, ()) == GROUND
