"""What nothing of the file uses."""

from __future__ import annotations

from dataclasses import replace

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.model.topology import Expectation, Host, Network, Target, Topology, Tunnel
from orchestra.planning import unused_parts
from tests.planning.make import FILE, allow, client, deny, host, network, numbered, server, target, topology, tunnel
from tests.planning.office import DB, HERE, LAN, NET, VOCABULARY, edge, gates_of


def found(source: Topology, *, said: tuple[Diagnostic, ...] = ()) -> list[tuple[Code, str, str]]:
    return [(d.code, d.severity, d.message) for d in unused_parts(source, vocabulary=VOCABULARY, said=said)]


def expecting(to: str, verdict: str, **more: object) -> Expectation:
    return Expectation(from_="here", to=to, verdict=verdict, **more)  # type: ignore[arg-type]


INSIDE = server("gate", {"lan": "10.1.0.2"})
RULES = (
    allow("@net", "gate", 22, name="ssh"),
    deny("any", "any", 23),
    allow("@lan", "@net", name="out"),
    allow("@net", "db", 80, name="web"),
)


def office(*more: Network | Host | Target | Tunnel, **about: object) -> Topology:
    wall, wanted = edge(*RULES), tunnel("t", "sql", "1000", via=("gate",))
    return topology(NET, LAN, HERE, INSIDE, DB, wall, target("sql", "5432", "db"), wanted, *more, **about)


def test_a_rule_that_no_tunnel_needs_is_an_info() -> None:
    text = "no tunnel of this file needs rule '{}' of edge"
    assert found(office()) == [(Code.RULE_UNUSED, "info", text.format(name)) for name in ("out", "web")]
    rests = office(expectations=(expecting("db:80", "reachable", direct=True),))
    assert found(rests) == [(Code.RULE_UNUSED, "info", f"{text.format('out')}, nor an expectation")]


def test_rules_of_a_hosts_own_filter_and_places_where_something_is_said() -> None:
    inbound = numbered([allow("gate", "any", 5432), allow("any", "any", 443)])
    source = office(replace(DB, inbound=inbound))
    text = "no tunnel of this file needs rule 2 (allow any to any port 443) of inbound of db"
    assert (Code.RULE_UNUSED, "info", text) in found(source)
    shadowed = Diagnostic(code=Code.RULE_SHADOWED, severity="info", message="x", place=Place(FILE, 51, 9))
    assert text not in {message for *_, message in found(source, said=(shadowed,))}


def test_a_server_that_stands_by_is_in_use() -> None:
    idle, lone = server("idle", {"lan": "10.1.0.77"}), server("lone", {"lan": "10.1.0.78"})
    things = (NET, LAN, HERE, *gates_of("ab"), DB, idle, target("db", "80"), lone, target("own", "9", "lone"))
    text = "no tunnel of this file goes through {}, not as an alternative either"
    assert found(topology(*things, tunnel("db"))) == [(Code.SERVER_UNUSED, "info", text.format("idle"))]
    tested = (expecting("db", "reachable", via=("a", "idle")), expecting("nobody:1", "reachable"))
    assert found(topology(*things, tunnel("db"), expectations=tested)) == []


def test_a_target_that_nobody_reaches_is_a_warning_unless_the_file_says_so() -> None:
    off = network("off", "10.9.0.0/24")
    lost = (off, host("x", networks={"off": "10.9.0.1"}), target("x", "80"))
    source = topology(NET, LAN, HERE, *gates_of("a"), DB, target("db", "80"), *lost, tunnel("db"))
    assert found(source) == [(Code.TARGET_UNREACHED, "warning", "no client of this file reaches x by any path")]
    [said] = unused_parts(source, vocabulary=VOCABULARY)
    assert said.suggestion is not None
    assert "`orchestra explain t.yaml here x`" in said.suggestion
    assert found(replace(source, expectations=(expecting("x", "unreachable"),))) == []
    near = client("near", {"off": "10.9.0.2"})
    assert found(replace(source, hosts={**source.hosts, "near": near})) == []


def test_a_target_is_reached_when_somebody_else_holds_its_tunnel() -> None:
    other = client("other", {"lan": "10.1.0.77"})
    wanted = tunnel("w", "own", "*:99", at="other", from_="other")
    things = (NET, LAN, HERE, other, DB, target("own", "127.0.0.1:1", "other"), wanted)
    assert [code for code, *_ in found(topology(*things))] == [Code.LISTEN_EXPOSED]


def test_exposed_listeners_are_told_as_infos() -> None:
    exposed = (NET, LAN, HERE, *gates_of("a"), DB, target("db", "80"), tunnel("db", listen="*:80"))
    assert [(code, severity) for code, severity, _ in found(topology(*exposed))] == [(Code.LISTEN_EXPOSED, "info")]


def test_nothing_is_said_of_a_file_without_tunnels() -> None:
    assert found(replace(office(), tunnels={})) == []
