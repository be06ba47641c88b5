"""What the loader and the planner know of plugins: values, no code.

``fields`` is a pydantic model class of the keys that a plugin takes in the file, or a function that gives it and is
called when a file has such keys (None: it takes none). It is opaque here; only the loader reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal, TypeAlias

from orchestra.model.frozen import dataclass
from orchestra.model.topology import NOWHERE

ENTRY_POINTS = "orchestra"
"""The group of entry points by which installed plugins are found."""

Model: TypeAlias = type[Any] | Callable[[], type[Any]]
"""The fields of a plugin; or what gives it, so that it is imported and made for who uses it alone."""


def model_of(fields: Model) -> type[Any]:
    """The model itself. Raises TypeError when none is given, and whatever the plugin raises."""
    if isinstance(fields, type):
        return fields
    if not is_model(model := fields()):
        raise TypeError(f"it gives a {type(model).__name__}, where a model is due")
    return model


def is_model(value: object) -> bool:
    """Whether it is a class of the fields that a plugin takes: a pydantic model, or a dataclass."""
    return isinstance(value, type) and (hasattr(value, "model_fields") or hasattr(value, "__dataclass_fields__"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSpec:
    """What sessions of a transport can do, and how the transport is dialed.

    ``dialed``: by TCP to the server's address, through the session before it; ``False``: it finds its own way from
    here (kubectl, a cloud's agent), so that no network and no firewall of the file stands in it.
    """

    name: str
    connect: bool = True
    listen: bool = True
    exec: bool = True
    unix: bool = True
    dialed: bool = True
    fields: Model | None = None
    package: str = "orchestra"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """Which parts of a tunnel a kind takes; the planner obeys.

    ``to``: whether it leads to a target. ``exit``: whether it takes the host that dials as ``exit`` (then it may have
    no target). ``protocols``: those of targets that it can carry. ``exec``: whether it runs commands at its exit.
    ``datagrams``: it binds by itself, by UDP: at a server by a command, not by what sshd forwards. ``over``: the
    option, if there is one, that has what came by UDP dialed by TCP (``tcp``), or each as it came (``both``).
    """

    name: str
    to: Literal["required", "optional", "no"] = "required"
    exit: Literal["required", "optional", "no"] = "optional"
    protocols: tuple[str, ...] = ("tcp",)
    exec: bool = False
    datagrams: bool = False
    over: str = ""
    fields: Model | None = None
    package: str = "orchestra"

    def by_tcp(self, options: Mapping[str, Any]) -> Literal["no", "too", "only"]:
        """Whether a tunnel of datagrams with such options takes and dials TCP as well, on ports of the same numbers."""
        chosen = options.get(self.over, "udp")
        return "only" if chosen == "tcp" else "too" if chosen == "both" else "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A health check that a tunnel may name."""

    name: str
    kinds: tuple[str, ...] = ("tcp",)
    fields: Model | None = None
    package: str = "orchestra"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """A kind of secret reference: the one key of its mapping. ``value``: what stands behind the key; with
    ``fields``: what that model makes of it, as a map. ``meaning``: that, in a sentence."""

    name: str
    value: Literal["text", "path", "command", "any"] = "text"
    meaning: str = ""
    fields: Model | None = None
    package: str = "orchestra"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImporterSpec:
    """A foreign format that can be read. ``meaning``: what it is, in a sentence. ``default``: the file that is read
    when none is named, ``~`` being the user's home."""

    name: str
    meaning: str = ""
    default: str | None = None
    fields: Model | None = None
    package: str = "orchestra"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterSpec:
    """A foreign format that can be written. ``meaning``: what it is, in a sentence."""

    name: str
    meaning: str = ""
    fields: Model | None = None
    package: str = "orchestra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A plugin that is installed and adds nothing.

    ``name``: its entry point's. ``package``: the distribution that it comes with. ``why``: a clause, ``is left out by
    …``. ``words``: what it would add, as far as that is known (``kind socks``).
    """

    name: str
    package: str
    why: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All words that plugins, core's own among them, add to the file; keyed by name."""

    transports: Mapping[str, TransportSpec] = field(default_factory=lambda: NOWHERE)
    kinds: Mapping[str, KindSpec] = field(default_factory=lambda: NOWHERE)
    checks: Mapping[str, CheckSpec] = field(default_factory=lambda: NOWHERE)
    secrets: Mapping[str, SecretSpec] = field(default_factory=lambda: NOWHERE)
    absent: tuple[Absent, ...] = ()
