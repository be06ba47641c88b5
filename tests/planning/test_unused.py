"""What has no effect is said where it stands."""

from orchestra.diagnostics import Code
from orchestra.loading import load
from orchestra.planning.unused import unused_settings
from tests.loading.words import VOCABULARY


def said(tunnels: str) -> list[tuple[str | None, str, str | None]]:
    text = f"targets: {{a: 'x:80', b: 'x:81'}}\ntunnels:\n{tunnels}"
    topology = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text).topology
    assert topology
    found = list(unused_settings(topology))
    assert all(d.code is Code.SETTING_UNUSED and d.severity == "warning" for d in found)
    return [(d.path, str(d.place), d.suggestion) for d in found]


def test_a_file_that_relies_on_nothing_hears_nothing() -> None:
    assert said("  a: {failover: true, standby: warm}\n  b: {check: {type: tcp, every: 5s, fall: 1}}\n") == []


def test_rise_and_fall_mean_nothing_of_a_check_that_is_not_repeated() -> None:
    found = said("  a: {check: {type: tcp, fall: 3}}\n  b: {}\n")
    assert found == [("tunnels.a.check.fall", "<stdin>:3:26", "write `every` too")]


def test_to_stand_by_means_nothing_without_failover() -> None:
    found = said("  a: {standby: warm}\n  b: {standby: cold}\n")
    assert [path for path, _, _ in found] == ["tunnels.a.standby", "tunnels.b.standby"]
    assert found[0][2] == "write `failover: true` too"
