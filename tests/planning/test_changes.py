"""Tables of what differs between two plans, and which sessions do for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from orchestra.model.changes import Difference
from orchestra.model.plan import Alternative, Dial, Plan, PlannedTunnel, Reason
from orchestra.model.topology import (
    CheckRef,
    ConfigSettings,
    DnsName,
    Forwarding,
    Host,
    SecretRef,
    Server,
    SshSettings,
    TransportRef,
)
from orchestra.planning.changes import Part, Standing, align, compare, parts
from tests.engine.plans import chain, listen, plan, session, topology, tunnel

HOSTS = topology("edge", "gateway", "vault").hosts
PLAN = plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway"))
DESK = PLAN.tunnels[0]


def with_server(name: str, **parts: Any) -> Mapping[str, Host]:
    return {**HOSTS, name: replace(HOSTS[name], server=Server(**parts))}


def known(of: Plan, hosts: Mapping[str, Host] = HOSTS) -> dict[str, Standing]:
    return {each.id: Standing(each, hosts[each.server]) for each in of.sessions}


def signs(before: Plan, hosts: Mapping[str, Host], after: Plan, after_hosts: Mapping[str, Host]) -> list[str]:
    """As they are shown: ``~ session edge``."""
    aligned = align(after, after_hosts, known(before, hosts))
    by = {"add": "+", "remove": "-", "change": "~", "keep": "="}
    return [f"{by[c.action]} {c.what} {c.name}" for c in compare(before, hosts, aligned, after_hosts).items]


def test_the_same_plan_keeps_everything() -> None:
    assert signs(PLAN, HOSTS, PLAN, HOSTS) == ["= session edge", "= session gateway", "= tunnel desk"]


def test_names_of_sessions_mean_nothing() -> None:
    renamed = plan(
        (session("x", server="edge"), session("y", "x", server="gateway", depth=2)), tunnel("desk", "x", "y")
    )
    dials = (each.dial for each in PLAN.sessions)
    renamed = replace(renamed, sessions=tuple(replace(each, dial=next(dials)) for each in renamed.sessions))
    aligned = align(renamed, HOSTS, known(PLAN))
    assert [(s.id, s.via) for s in aligned.sessions] == [("edge", None), ("gateway", "edge")]
    assert (aligned.tunnels[0].sessions, aligned.tunnels[0].exit) == (("edge", "gateway"), "gateway")


def test_a_session_over_another_one_is_another_one() -> None:
    hosts = with_server("edge", ssh=SshSettings(user="bob"))
    aligned = align(PLAN, hosts, known(PLAN))
    assert [s.id for s in aligned.sessions] == ["edge~2", "gateway~2"]
    assert signs(PLAN, HOSTS, PLAN, hosts) == ["~ session edge", "~ session gateway", "~ tunnel desk"]


def test_every_id_in_the_plan_follows() -> None:
    other = Alternative(path=("laptop", "edge"), sessions=("edge",), exit="edge")
    hook = tunnel("hook", "edge", entry=listen("localhost", at="edge"))
    before = plan(chain("edge"), replace(hook, alternatives=(other,)))
    aligned = align(before, with_server("edge", ssh=SshSettings(port=2)), known(before))
    (moved,) = aligned.tunnels
    assert moved.listen
    assert (moved.sessions, moved.entry, moved.listen.session) == (("edge~2",), "edge~2", "edge~2")
    assert (moved.alternatives[0].sessions, moved.alternatives[0].exit) == (("edge~2",), "edge~2")


def test_what_retires_may_be_wanted_again() -> None:
    standing = known(PLAN) | {"edge~2": Standing(session("edge~2", server="edge"), with_server("edge", cost=1)["edge"])}
    bob = with_server("edge", ssh=SshSettings(user="bob"))
    standing["edge~3"] = Standing(replace(PLAN.sessions[0], id="edge~3"), bob["edge"])
    assert align(plan(chain("edge")), bob, standing).sessions[0].id == "edge~3"
    assert align(plan(chain("edge")), HOSTS, standing).sessions[0].id == "edge"


SETTINGS: tuple[tuple[str, Server, str, str], ...] = (
    ("ssh.user", Server(ssh=SshSettings(user="bob")), "", "bob"),
    ("ssh.keepalive", Server(ssh=SshSettings(keepalive=15.0)), "", "15s"),
    ("ssh.identity", Server(ssh=SshSettings(identity=("/a", "/b"))), "", "/a, /b"),
    ("ssh.password", Server(ssh=SshSettings(password=SecretRef(kind="env", value="X"))), "", "{env: X}"),
    ("transport", Server(transport=TransportRef(type="openssh")), "ssh", "openssh"),
    ("transport.options", Server(transport=TransportRef(options={"pod": "x"})), "", "pod: x"),
)


@pytest.mark.parametrize(("key", "server", "before", "after"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_what_of_a_server_opens_another_session(key: str, server: Server, before: str, after: str) -> None:
    hosts = {**HOSTS, "edge": replace(HOSTS["edge"], server=server)}
    aligned = align(plan(chain("edge")), hosts, known(plan(chain("edge"))))
    (change,) = compare(plan(chain("edge")), HOSTS, aligned, hosts).items
    assert (change.name, change.action) == ("edge", "change")
    assert change.differences == (Difference(field=key, before=before, after=after),)


def test_a_name_of_the_host_and_what_ssh_config_says_matter_too() -> None:
    before = plan(chain("edge"))
    named = {**HOSTS, "edge": replace(HOSTS["edge"], names=(DnsName(text="edge.example"),))}
    assert signs(before, HOSTS, before, named) == ["~ session edge"]
    config = with_server("edge", ssh=SshSettings(config=ConfigSettings(ciphers="aes128-ctr")))
    assert signs(before, HOSTS, before, config) == ["~ session edge"]


@pytest.mark.parametrize("server", [Server(cost=3), Server(forwarding=Forwarding(gateway_ports="yes"))])
def test_what_of_a_server_is_no_matter_of_its_session(server: Server) -> None:
    before = plan(chain("edge"))
    hosts = {**HOSTS, "edge": replace(HOSTS["edge"], server=server, place=None)}
    assert signs(before, HOSTS, before, hosts) == ["= session edge"]


def test_another_address_of_the_server_is_another_session() -> None:
    (edge,) = chain("edge")
    moved = plan((replace(edge, dial=replace(edge.dial, port=2222)),))
    changes = compare(plan((edge,)), HOSTS, align(moved, HOSTS, known(plan((edge,)))), HOSTS)
    assert changes.items[0].differences == (
        Difference(field="dial", before="laptop dials edge.example:22", after="laptop dials edge.example:2222"),
    )


OTHER = Dial(by="gateway", host="10.20.0.31", port=5900)
PARTS: tuple[tuple[PlannedTunnel, set[Part]], ...] = (
    (DESK, set()),
    (replace(DESK, dial=replace(DESK.dial or OTHER, reasons=(Reason(text="another line"),))), set()),
    (replace(DESK, user=OTHER, alternatives=(Alternative(path=("a",)),)), set()),
    (replace(DESK, listen=listen("::1")), {"listen"}),
    (replace(DESK, dial=OTHER), {"way"}),
    (replace(DESK, sessions=("edge",)), {"way"}),
    (replace(DESK, alternatives=(Alternative(path=("a",), sessions=("edge",)),)), {"way"}),
    (replace(DESK, spec=replace(DESK.spec, failover=True)), {"way"}),
    (replace(DESK, kind="socks"), {"kind"}),
    (replace(DESK, spec=replace(DESK.spec, options={"allow": ["*:*"]})), {"kind"}),
    (replace(DESK, spec=replace(DESK.spec, check=CheckRef(type="http"))), {"check"}),
    (replace(DESK, spec=replace(DESK.spec, hold=9.0)), {"rest"}),
    (replace(DESK, spec=replace(DESK.spec, optional=True, env={"A": "b"})), {"rest"}),
    (replace(DESK, spec=replace(DESK.spec, via=("edge",), implicit=True)), set()),
)


@pytest.mark.parametrize(("after", "differing"), PARTS)
def test_which_part_of_a_tunnel_differs(after: PlannedTunnel, differing: set[Part]) -> None:
    assert parts(DESK, after) == differing


def test_tunnels_that_come_and_go() -> None:
    after = plan(chain("edge"), tunnel("wiki", "edge"))
    assert signs(PLAN, HOSTS, after, HOSTS) == [
        "= session edge",
        "- session gateway",
        "- tunnel desk",
        "+ tunnel wiki",
    ]


def test_the_fields_of_a_tunnel_that_differ() -> None:
    spec = replace(DESK.spec, hold=9.0, optional=True, check=CheckRef(type="http", every=60.0))
    after = replace(DESK, spec=spec, dial=OTHER, listen=listen("::1", port=0))
    (change,) = compare(plan((), DESK), HOSTS, plan((), after), HOSTS).items
    assert [(d.field, d.before, d.after) for d in change.differences] == [
        ("listen", "127.0.0.1:5920 of laptop", "[::1]:auto of laptop"),
        ("dial", "gateway dials 10.20.0.30:5900", "gateway dials 10.20.0.31:5900"),
        ("check", "type: tcp, rise: 2, fall: 3", "type: http, every: 60s, rise: 2, fall: 3"),
        ("hold", "2s", "9s"),
        ("optional", "no", "yes"),
    ]
