"""Loads plugins, core's own among them, and gathers what they add.

There is no global manager: :func:`load_plugins` makes one, asks every plugin once, and returns a frozen value. A plugin
that cannot be imported, misspells a hook, raises, or hands over something of the wrong shape fails alone, by name.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pluggy

from orchestra import __version__
from orchestra.model.frozen import dataclass
from orchestra.model.text import reason
from orchestra.plugin import hookspecs
from orchestra.plugin.vetting import SLOTS, Rejected, Slot, parts, vet_hooks, vetted_name, vetted_observer
from orchestra.plugin.vocabulary import ENTRY_POINTS, Absent, Vocabulary

if TYPE_CHECKING:
    from orchestra.model.events import Event
    from orchestra.plugin.interfaces import Check, Exporter, Importer, Kind, SecretSource, Transport

DISTRIBUTION = "orchestra-tunnels"
DISABLED = "ORCHESTRA_DISABLE_PLUGINS"
"""Names of installed plugins, or of their packages, that are left out, separated by commas; ``*`` is all of them."""
LEFT_OUT = f"is left out by {DISABLED}"
BUILT_IN = "built in"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """One plugin: where it comes from, what it adds (``check http``, ``kind udp``), or why it was left out.

    ``error``: it cannot be used. ``disabled``: it was not asked, because the user said so. ``would_add``: what is
    missing because of that, as far as it is known.
    """

    name: str
    version: str | None = None
    origin: str = BUILT_IN
    adds: tuple[str, ...] = ()
    error: str | None = None
    disabled: bool = False
    would_add: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observer:
    """An observer, and the plugin that it belongs to."""

    plugin: str
    tell: Callable[[Event], object]

    def __call__(self, event: Event) -> None:
        self.tell(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """All that is loaded; mappings are keyed by the name used in the file."""

    transports: Mapping[str, Transport] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    importers: Mapping[str, Importer] = field(default_factory=dict)
    exporters: Mapping[str, Exporter] = field(default_factory=dict)
    observers: tuple[Callable[[Event], None], ...] = ()
    loaded: tuple[PluginInfo, ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)


@dataclass(slots=True)
class _Gathered:
    """What was accepted so far: per slot, then the observers; and which plugin added which word."""

    slots: dict[str, dict[str, Any]] = field(default_factory=lambda: {slot.word: {} for slot in SLOTS})
    observers: list[Observer] = field(default_factory=list)
    owners: dict[str, PluginInfo] = field(default_factory=dict)
    loaded: list[PluginInfo] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)


def load_plugins(
    builtin: Iterable[object],
    *,
    extra: Iterable[object] = (),
    disabled: Iterable[str] = (),
    entry_points: bool = True,
) -> Plugins:
    """Asks core's own plugins, then installed ones (by name), then ``extra`` ones, and gathers what they add.

    ``disabled`` holds names of entry points or of distributions; ``*`` is all of them. Of two plugins that add the same
    name the later one is refused, so that nothing installed can quietly replace a part of core. One that is loaded
    already is not loaded twice.
    """
    gathered = _Gathered()
    for plugin in builtin:
        _take(plugin, PluginInfo(name=_name_of(plugin), version=__version__), gathered)
    if entry_points:
        package = cache(lambda home: (home.name, home.version))  # each time it is asked it parses the metadata anew
        for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
            origin, version = package(point.dist) if point.dist else (point.value, None)
            info = PluginInfo(name=point.name, version=version, origin=origin)
            _take_entry_point(point, info, frozenset(disabled), gathered)
    for plugin in extra:
        if not any(plugin is each for each in gathered.asked):
            version = str(getattr(plugin, "__version__", "")) or None
            _take(plugin, PluginInfo(name=_name_of(plugin), version=version, origin=origin_of(plugin)), gathered)
    found = {word: MappingProxyType(named) for word, named in gathered.slots.items()}
    specs = {word: MappingProxyType({name: part.spec for name, part in named.items()}) for word, named in found.items()}
    return Plugins(
        transports=found["transport"],
        kinds=found["kind"],
        checks=found["check"],
        secrets=found["secret"],
        importers=found["importer"],
        exporters=found["exporter"],
        observers=tuple(gathered.observers),
        loaded=tuple(gathered.loaded),
        vocabulary=Vocabulary(
            transports=specs["transport"],
            kinds=specs["kind"],
            checks=specs["check"],
            secrets=specs["secret"],
            absent=tuple(_absent(gathered.loaded)),
        ),
    )


def _absent(loaded: Iterable[PluginInfo]) -> Iterator[Absent]:
    for info in loaded:
        if info.disabled or info.error is not None:
            error = info.error or ""
            why = LEFT_OUT if info.disabled else error if error.startswith("cannot be") else f"cannot be used: {error}"
            yield Absent(name=info.name, package=info.origin, why=why, words=info.would_add)


def _take_entry_point(
    point: importlib.metadata.EntryPoint, info: PluginInfo, disabled: frozenset[str], gathered: _Gathered
) -> None:
    if disabled & {"*", info.name, info.origin}:
        gathered.loaded.append(replace(info, disabled=True, would_add=_would_add(point, info)))
        return
    try:
        plugin = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # noqa: BLE001 - a stranger's import may raise anything, and exit
        gathered.loaded.append(replace(info, error=f"cannot be imported: {reason(exc)}"))
        return
    _take(plugin, info, gathered)


def _would_add(point: importlib.metadata.EntryPoint, info: PluginInfo) -> tuple[str, ...]:
    """The words of a disabled plugin, when it is one of our own: a stranger's code is not run to hear them."""
    if info.origin != DISTRIBUTION:
        return ()
    scratch = _Gathered()
    _take_entry_point(point, info, frozenset(), scratch)
    return scratch.loaded[0].adds


def _take(plugin: object, info: PluginInfo, gathered: _Gathered) -> None:
    """Registers one plugin with a manager of its own, so that its faults are its own, and adds what it hands over."""
    gathered.asked.append(plugin)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    known = list(vars(manager.hook))
    adds: list[str] = []
    try:
        manager.register(plugin, name=info.name)
        vet_hooks((each.name for each in manager.get_hookcallers(plugin) or ()), known)
        accepted = {slot.word: _ask(manager, slot, adds) for slot in SLOTS}
        told = [vetted_observer(each) for each in parts("orchestra_observers", manager.hook.orchestra_observers())]
        if clash := next((word for word in adds if word in gathered.owners), None):
            raise Rejected(f"the {clash} exists already: {_described(gathered.owners[clash])} adds it")
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # noqa: BLE001 - as above
        error = str(exc) if isinstance(exc, Rejected) else reason(exc)
        gathered.loaded.append(replace(info, error=error, would_add=tuple(adds)))
        return
    for word, found in accepted.items():
        gathered.slots[word].update(found)
    gathered.observers.extend(Observer(info.name, tell) for tell in told)
    info = replace(info, adds=(*adds, *["observer"] * len(told)))
    gathered.owners.update(dict.fromkeys(adds, info))
    gathered.loaded.append(info)


def _ask(manager: pluggy.PluginManager, slot: Slot, adds: list[str]) -> dict[str, Any]:
    """What a hook gave, by name; its words are appended to ``adds``."""
    found: dict[str, Any] = {}
    for part in parts(slot.hook, getattr(manager.hook, slot.hook)()):
        name = vetted_name(slot, part)
        if name in found:
            raise Rejected(f"{slot.hook} gives the {slot.word} {name!r} twice")
        found[name] = part
        adds.append(f"{slot.word} {name}")
    return found


def _described(info: PluginInfo) -> str:
    return f"the plugin {info.name}" + ("" if info.origin in (BUILT_IN, info.name) else f" ({info.origin})")


def _name_of(plugin: object) -> str:
    """A module's or a class's; that of a file is ``stem@folder``."""
    return str(getattr(plugin, "__name__", type(plugin).__name__)).partition("@")[0]


def origin_of(plugin: object) -> str:
    """Where a plugin comes from that no package brings: its file, or its module."""
    return str(getattr(plugin, "__file__", None) or getattr(plugin, "__name__", type(plugin).__module__))
