"""Loads plugins, core's own among them, and gathers what they add.

There is no global manager: :func:`load_plugins` makes one, asks every plugin once, and returns a frozen value. A plugin
that cannot be imported, misspells a hook, raises, or hands over something of the wrong shape fails alone, by name.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pluggy

from orchestra.model.events import Event
from orchestra.plugin import hookspecs
from orchestra.plugin.interfaces import Check, Kind, SecretSource, Transport
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, SecretSpec, TransportSpec, Vocabulary

ENTRY_POINTS = "orchestra"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """One plugin: where it comes from, what it adds (``check http``, ``kind udp``), or why it was left out."""

    name: str
    version: str | None = None
    origin: str = "built in"
    adds: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """All that is loaded; mappings are keyed by the name used in the file."""

    transports: Mapping[str, Transport] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    observers: tuple[Callable[[Event], None], ...] = ()
    loaded: tuple[PluginInfo, ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A hook whose results have a ``spec``: the word for people, the spec's type, the methods of which one does the
    work."""

    hook: str
    word: str
    spec: type[Any]
    methods: tuple[str, ...]


_SLOTS = (
    _Slot("orchestra_transports", "transport", TransportSpec, ("open",)),
    _Slot("orchestra_kinds", "kind", KindSpec, ("serve", "bind")),
    _Slot("orchestra_checks", "check", CheckSpec, ("run",)),
    _Slot("orchestra_secrets", "secret", SecretSpec, ("read",)),
)


class _Rejected(Exception):
    """What a plugin handed over cannot be used; the text says why."""


@dataclass(slots=True)
class _Gathered:
    """What was accepted so far: per slot, then the observers."""

    slots: dict[str, dict[str, Any]]
    observers: list[Callable[[Event], None]]


def load_plugins(
    builtin: Iterable[object],
    *,
    extra: Iterable[object] = (),
    disabled: Iterable[str] = (),
    entry_points: bool = True,
) -> Plugins:
    """Asks core's own plugins, then installed ones (by name), then ``extra`` ones, and gathers what they add.

    ``disabled`` holds names of entry points; ``*`` is all of them. Of two plugins that add the same name the later
    one is refused, so that nothing installed can quietly replace a part of core.
    """
    gathered = _Gathered({slot.word: {} for slot in _SLOTS}, [])
    loaded = [_take(plugin, PluginInfo(name=_name_of(plugin)), gathered) for plugin in builtin]
    if entry_points:
        loaded += [_take_entry_point(point, gathered) for point in _entry_points(frozenset(disabled))]
    loaded += [
        _take(plugin, PluginInfo(name=_name_of(plugin), origin=_origin_of(plugin)), gathered) for plugin in extra
    ]
    found = {word: MappingProxyType(parts) for word, parts in gathered.slots.items()}
    specs = {word: MappingProxyType({name: part.spec for name, part in parts.items()}) for word, parts in found.items()}
    return Plugins(
        transports=found["transport"],
        kinds=found["kind"],
        checks=found["check"],
        secrets=found["secret"],
        observers=tuple(gathered.observers),
        loaded=tuple(loaded),
        vocabulary=Vocabulary(
            transports=specs["transport"], kinds=specs["kind"], checks=specs["check"], secrets=specs["secret"]
        ),
    )


def _entry_points(disabled: frozenset[str]) -> Iterator[importlib.metadata.EntryPoint]:
    if "*" in disabled:
        return
    points = importlib.metadata.entry_points(group=ENTRY_POINTS)
    yield from sorted((p for p in points if p.name not in disabled), key=lambda p: p.name)


def _take_entry_point(point: importlib.metadata.EntryPoint, gathered: _Gathered) -> PluginInfo:
    dist = point.dist
    info = PluginInfo(
        name=point.name, version=dist.version if dist else None, origin=dist.name if dist else point.value
    )
    try:
        plugin = point.load()
    except Exception as exc:  # noqa: BLE001 - a stranger's import may raise anything
        return replace(info, error=f"cannot be imported: {type(exc).__name__}: {exc}")
    return _take(plugin, info, gathered)


def _take(plugin: object, info: PluginInfo, gathered: _Gathered) -> PluginInfo:
    """Registers one plugin with a manager of its own, so that its faults are its own, and adds what it hands over."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name=info.name)
        manager.check_pending()
        accepted = {slot.word: _ask(manager, slot, gathered) for slot in _SLOTS}
        observers = _ask_observers(manager)
    except Exception as exc:  # noqa: BLE001 - as above
        reason = str(exc) if isinstance(exc, _Rejected) else f"{type(exc).__name__}: {exc}"
        return replace(info, error=reason)
    for word, parts in accepted.items():
        gathered.slots[word].update(parts)
    gathered.observers.extend(observers)
    adds = [f"{word} {name}" for word, parts in accepted.items() for name in parts]
    return replace(info, adds=tuple(adds + ["observer"] * len(observers)))


def _ask(manager: pluggy.PluginManager, slot: _Slot, gathered: _Gathered) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for part in (part for result in getattr(manager.hook, slot.hook)() for part in result):
        spec = getattr(part, "spec", None)
        if not isinstance(spec, slot.spec):
            raise _Rejected(f"{slot.hook} gave {part!r}, which has no spec of type {slot.spec.__name__}")
        if not any(callable(getattr(part, method, None)) for method in slot.methods):
            raise _Rejected(f"{slot.hook} gave {part!r}, which has no method {' or '.join(map(repr, slot.methods))}")
        name = str(spec.name)
        if name in parts or name in gathered.slots[slot.word]:
            raise _Rejected(f"{slot.word} {name!r} exists already")
        parts[name] = part
    return parts


def _ask_observers(manager: pluggy.PluginManager) -> list[Callable[[Event], None]]:
    observers = [observer for result in manager.hook.orchestra_observers() for observer in result]
    for observer in observers:
        if not callable(observer):
            raise _Rejected(f"orchestra_observers gave {observer!r}, which cannot be called")
    return observers


def _name_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", type(plugin).__name__))


def _origin_of(plugin: object) -> str:
    return str(getattr(plugin, "__file__", None) or type(plugin).__module__)
