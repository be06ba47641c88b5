"""Plugins are asked once, fail alone and by name, and never replace a part of core."""

import types
from pathlib import Path

import pytest

from orchestra.loading.report import plugins_word
from orchestra.plugin import hookimpl
from orchestra.plugin.manager import Plugins, load_plugins
from orchestra.plugin.vocabulary import CheckSpec


class Check:
    def __init__(self, name: str) -> None:
        self.spec = CheckSpec(name=name)

    async def run(self, context: object) -> None: ...


class Good:
    def __init__(self, *names: str) -> None:
        self.names = names

    @hookimpl
    def orchestra_checks(self) -> list[Check]:
        return [Check(name) for name in self.names]


def load(*extra: object, builtin: tuple[object, ...] = ()) -> Plugins:
    return load_plugins(builtin, extra=extra, entry_points=False)


def test_what_a_plugin_adds_is_found_by_name_and_known_to_the_file() -> None:
    plugins = load(Good("ping", "pong"))
    assert set(plugins.checks) == {"ping", "pong"}
    assert plugins.vocabulary.checks["ping"] == CheckSpec(name="ping")
    assert plugins.loaded[0].adds == ("check ping", "check pong")
    assert plugins.loaded[0].error is None


def test_a_module_is_a_plugin_too() -> None:
    module = types.ModuleType("mine")
    module.orchestra_checks = hookimpl(lambda: [Check("mine")])  # type: ignore[attr-defined]
    assert load(module).loaded[0].name == "mine"
    assert set(load(module).checks) == {"mine"}


def test_the_second_of_one_name_is_refused_and_core_stays() -> None:
    core, stranger = Good("tcp"), Good("tcp", "other")
    plugins = load(stranger, builtin=(core,))
    assert set(plugins.checks) == {"tcp"}
    assert plugins.loaded[1].error == "the check tcp exists already: the plugin Good adds it"


class Raises:
    @hookimpl
    def orchestra_checks(self) -> list[Check]:
        raise ValueError("no licence")


class Misspelt:
    @hookimpl
    def orchestra_cheks(self) -> list[Check]:
        return []


class Nonsense:
    @hookimpl
    def orchestra_checks(self) -> list[object]:
        return [42]


class NoObject:
    @hookimpl
    def orchestra_checks(self) -> list[type]:
        return [Check]


class Unmarked:
    def orchestra_checks(self) -> list[Check]:
        return [Check("mine")]


class NoMethod:
    class Half:
        spec = CheckSpec(name="half")

    @hookimpl
    def orchestra_checks(self) -> list[object]:
        return [self.Half()]


class BadObserver:
    @hookimpl
    def orchestra_observers(self) -> list[object]:
        return ["not callable"]


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (Raises(), "ValueError: no licence"),
        (Misspelt(), "there is no hook 'orchestra_cheks'; did you mean 'orchestra_checks'?"),
        (Unmarked(), "it has no hook"),
        (NoObject(), "gave the class 'Check', where an object of it is due"),
        (Nonsense(), "no spec of type CheckSpec"),
        (NoMethod(), "no method 'run'"),
        (BadObserver(), "cannot be called"),
    ],
)
def test_a_bad_plugin_fails_alone_and_by_name(plugin: object, reason: str) -> None:
    plugins = load(plugin, Good("ping"))
    assert set(plugins.checks) == {"ping"}
    assert plugins.loaded[0].name == type(plugin).__name__
    assert reason in (plugins.loaded[0].error or "")
    assert not plugins.loaded[0].adds


def test_observers_are_gathered() -> None:
    seen: list[object] = []

    class Watches:
        @hookimpl
        def orchestra_observers(self) -> list[object]:
            return [seen.append]

    plugins = load(Watches())
    plugins.observers[0]("event")  # type: ignore[arg-type]
    assert seen == ["event"]
    assert plugins.loaded[0].adds == ("observer",)


def test_installed_plugins_come_by_entry_point_and_can_be_left_out() -> None:
    assert "vnc" in load_plugins([]).checks
    assert "vnc" not in load_plugins([], disabled=["checks"]).checks
    nothing = load_plugins([], disabled=["*"])
    assert (nothing.checks, nothing.kinds) == ({}, {})
    assert all(info.disabled and info.would_add and not info.adds for info in nothing.loaded)
    assert not load_plugins([], disabled=["orchestra-tunnels"]).checks


def install(folder: Path, name: str, target: str) -> None:
    """A distribution ``orchestra-NAME`` with one plugin, as an installer would leave it."""
    info = folder / f"orchestra_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: orchestra-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[orchestra]\n{name} = {target}\n")


def test_an_installed_plugin_that_cannot_be_imported_is_named_and_the_others_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exits_at_import.py").write_text("raise SystemExit('no licence')")
    install(tmp_path, "kafka", "no_such_module_of_kafka")
    install(tmp_path, "quitter", "exits_at_import")
    install(tmp_path, "socks2", "orchestra_plugins.socks")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = load_plugins([])
    found = {info.name: info for info in plugins.loaded}
    assert found["kafka"].error == "cannot be imported: ModuleNotFoundError: No module named 'no_such_module_of_kafka'"
    assert (found["kafka"].origin, found["kafka"].version) == ("orchestra-kafka", "1.0")
    assert found["quitter"].error == "cannot be imported: SystemExit: no licence"
    assert "exists already: the plugin socks (orchestra-tunnels) adds it" in (found["socks2"].error or "")
    assert {"socks", "udp"} <= set(plugins.kinds)
    suggestion = plugins_word("kind", "kafka", plugins.kinds, plugins.vocabulary.absent)
    assert suggestion == (
        "the plugin 'kafka' of orchestra-kafka adds it, and cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_module_of_kafka'"
    )
