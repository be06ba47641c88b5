"""Whether what a plugin hands over has the shape that its hook names; a type checker would say so before it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal, get_args, get_origin, get_type_hints

from orchestra.model.frozen import dataclass
from orchestra.model.text import shown
from orchestra.plugin.vocabulary import (
    CheckSpec,
    ExporterSpec,
    ImporterSpec,
    KindSpec,
    Model,
    SecretSpec,
    TransportSpec,
    is_model,
)

MOST = 1000
"""Things that one hook of one plugin may give."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


@dataclass(frozen=True, slots=True)
class Slot:
    """A hook whose results have a ``spec``: the word for people, the spec's type, the methods of which one does the
    work, and names that are taken by the file's own words."""

    hook: str
    word: str
    spec: type[Any]
    methods: tuple[str, ...]
    reserved: tuple[str, ...] = ()


SLOTS = (
    Slot("orchestra_transports", "transport", TransportSpec, ("open",)),
    Slot("orchestra_kinds", "kind", KindSpec, ("serve", "bind")),
    Slot("orchestra_checks", "check", CheckSpec, ("run",), ("none",)),
    Slot("orchestra_secrets", "secret", SecretSpec, ("read",)),
    Slot("orchestra_importers", "importer", ImporterSpec, ("read",)),
    Slot("orchestra_exporters", "exporter", ExporterSpec, ("write",)),
)


class Rejected(Exception):
    """What a plugin handed over cannot be used; the text says why."""


def parts(hook: str, results: Iterable[object]) -> Iterator[Any]:
    """What a hook gave, one by one; ``results`` has one for each function that bears the hook's name."""
    for result in results:
        if isinstance(result, str | bytes) or not isinstance(result, Iterable):
            raise Rejected(f"{hook} gave {shown(result)}, where a list is due")
        for number, part in enumerate(islice(result, MOST + 1), 1):
            if number > MOST:
                raise Rejected(f"{hook} gives more than {MOST} things")
            yield part


def vet_hooks(given: Iterable[str], known: Iterable[str]) -> None:
    """Whether functions that are marked as hooks bear names of hooks. Raises Rejected."""
    given, known = list(given), list(known)
    if not given:
        raise Rejected("it has no hook: a function named orchestra_checks, say, that is marked by `hookimpl`")
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise Rejected(f"there is no hook {shown(name)}" + "".join(f"; did you mean {shown(n)}?" for n in near))


def vetted_name(slot: Slot, part: Any) -> str:
    """The name of a part that can be used. Raises Rejected."""
    spec = getattr(part, "spec", None)
    if isinstance(part, type):
        raise Rejected(f"{slot.hook} gave the class {shown(part.__name__)}, where an object of it is due")
    if not isinstance(spec, slot.spec):
        raise Rejected(f"{slot.hook} gave {shown(part)}, which has no spec of type {slot.spec.__name__}")
    if not any(callable(getattr(part, method, None)) for method in slot.methods):
        raise Rejected(f"{slot.hook} gave {shown(part)}, which has no method {' or '.join(map(repr, slot.methods))}")
    for field, hint in get_type_hints(type(spec)).items():
        if not _fits(value := getattr(spec, field), hint):
            raise Rejected(f"{slot.hook} gave a spec whose {field} cannot be {shown(value)}")
    name = str(spec.name)
    if not _NAME.match(name) or name in slot.reserved:
        raise Rejected(f"{slot.word} {shown(name)} is no name for the file; letters, digits, '.', '_' and '-' are")
    return name


def vetted_observer(observer: object) -> Callable[..., object]:
    """An observer that can be told something. Raises Rejected."""
    if not callable(observer):
        raise Rejected(f"orchestra_observers gave {shown(observer)}, which cannot be called")
    return observer


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is Callable:
        return callable(value)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if hint == (Model | None):
        return is_model(value) if isinstance(value, type) else value is None or callable(value)
    return isinstance(value, hint)
