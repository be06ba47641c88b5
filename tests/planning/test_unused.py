"""What has no effect is said once, where it first stands."""

from orchestra.diagnostics import Code, Place
from orchestra.loading import load
from orchestra.model.topology import Topology, Tunnel
from orchestra.planning.unused import unused_settings
from tests.loading.words import VOCABULARY


def said(*tunnels: Tunnel) -> list[tuple[str, int | None]]:
    found = list(unused_settings(Topology(name="t", file="t", tunnels={t.name: t for t in tunnels})))
    assert all(d.code is Code.SETTING_UNUSED and d.severity == "warning" for d in found)
    return [(d.message.partition(" has ")[0], d.place.line if d.place else None) for d in found]


def test_a_file_that_relies_on_nothing_hears_nothing() -> None:
    assert said(Tunnel(name="wiki")) == []


def test_each_setting_is_named_once_with_how_many_have_it() -> None:
    places = (Place("t.yaml", line, 3) for line in (9, 12))
    tunnels = [Tunnel(name=name, failover=True, place=place) for name, place in zip("ba", places, strict=True)]
    assert said(*tunnels) == [("failover of a and 1 more", 12)]


def test_rise_and_fall_mean_nothing_of_a_check_that_is_not_repeated() -> None:
    text = "targets: {a: 'x:80', b: 'x:81'}\ntunnels:\n  a: {check: {type: tcp, fall: 3}}\n"
    text += "  b: {check: {type: tcp, every: 5s, fall: 1}}\n"
    topology = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text).topology
    assert topology
    (found,) = unused_settings(topology)
    assert (found.code, found.path, str(found.place)) == (
        Code.SETTING_UNUSED,
        "tunnels.a.check.fall",
        "<stdin>:3:26",
    )
