"""Tunnels and expectations."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, Faults
from orchestra.loading.report import plugins_word, quoted
from orchestra.loading.shapes.base import OPTIONS, JsonSchema, Many, Name, Shape, Text
from orchestra.loading.shapes.plugged import Check, plugin_options
from orchestra.loading.shapes.values import Duration, Listen, PositiveDuration, variable_name
from orchestra.plugin.vocabulary import Model

DEFAULT_KIND = "tcp"
PLACEHOLDERS = frozenset({"host", "port", "address"})


def _variables(env: dict[str, str]) -> dict[str, str]:
    """Names and placeholders of a tunnel's own variables."""
    faults = []
    for name, text in env.items():
        try:
            variable_name(name)
        except Fault as fault:
            fault.blame = "key"
            faults.append(fault.below((name,)))
        try:
            unknown = [field for _, field, _, _ in Formatter().parse(text) if field is not None] if "{" in text else []
        except ValueError:
            unknown = ["{"]
        if not PLACEHOLDERS.issuperset(unknown):
            faults.append(
                Fault(
                    f"{quoted(text)} has a placeholder that nothing fills",
                    suggestion="there are {host}, {port} and {address}; a brace itself is {{ or }}",
                    key=(name,),
                )
            )
    if faults:
        raise Faults(faults)
    return env


Variables: TypeAlias = Annotated[dict[str, Text], AfterValidator(_variables)]


class Tunnel(Shape):
    """What the user asks for: from a host, a listen address, to a target."""

    expects: ClassVar[str] = "a map"
    nested: ClassVar[dict[str, type[Shape]]] = {"check": Check}
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "null"},)

    kind: Text = DEFAULT_KIND
    """What is carried; the fields of a plugin's kind stand under its name."""
    to: Name | None = None
    """The target; default: the one of the tunnel's own name."""
    from_: Name | None = Field(default=None, alias="from")
    """Who will use it, a host or a network; default: `at`, else here."""
    at: Name | None = None
    """The host where the listener is opened; default: `from`, or a server that it can dial."""
    by: Name | None = None
    """The client that holds it, when `from` is none; default: the only client."""
    exit: Name | None = None
    """The host that dials the target; default: the planner's choice."""
    listen: Listen | None = Field(default=None, examples=["localhost:5920"])
    """Where it is entered; default: the target's port on localhost, below 1024 any free port."""
    family: Literal["ipv4", "ipv6"] | None = None
    """The one family of `localhost` and `*` that is meant; default: both."""
    via: Many[Name] = ()
    """Servers whose sessions it has to pass, in order."""
    avoid: Many[Name] = ()
    """Hosts that it must not pass."""
    failover: bool = False
    """Whether new connections may take another path when this one is down."""
    standby: Literal["cold", "warm"] = "cold"
    """With `failover`: whether the sessions of other paths are opened when they are needed, or kept open."""
    hold: Duration | None = None
    """How long a new connection waits for a path that is down; default: 2s."""
    dial_timeout: PositiveDuration | None = None
    """How long a dial to the target may take; default: 10s."""
    check: Check | None = None
    """How it is proven; default: `tcp`, one dial through the whole path."""
    optional: bool = False
    """Whether readiness does not wait for it."""
    env: Variables = Field(default_factory=dict, examples=[{"DATABASE_URL": "postgresql://{host}:{port}/app"}])
    """Variables for `env` and `run`, in which `{host}`, `{port}` and `{address}` are where it is entered."""
    profiles: Many[Text] = ()
    """It is opened only with `--profile` of one of these, or when named with `-t`; default: always."""
    options: dict[str, Any] = Field(default_factory=dict, alias="\0options")

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return {} if value is None else value

    @classmethod
    def open_up(cls, value: dict[str, Any], vocabulary: Any, faults: list[Fault]) -> dict[str, Any]:
        kind = value.get("kind", DEFAULT_KIND)
        if vocabulary is None or not isinstance(kind, str):
            return value
        kinds = vocabulary.kinds
        own = {key: item for key, item in value.items() if key in cls._known or key != kind}
        if kind not in kinds and "kind" in value:
            faults.append(
                Fault(
                    f"there is no kind of tunnel {quoted(kind)}",
                    code=Code.UNKNOWN_NAME,
                    suggestion=plugins_word("kind", kind, kinds, vocabulary.absent),
                    key=("kind",),
                )
            )
            if kind in value and kind not in cls._known:
                faults.append(Fault("fields of an unknown kind", key=(kind,), blame="aftermath"))
        for other in own.keys() & kinds.keys() - cls._known:
            faults.append(
                Fault(
                    f"{other!r} holds the fields of another kind of tunnel",
                    code=Code.UNKNOWN_KEY,
                    suggestion=f"write `kind: {other}`, or remove it",
                    key=(other,),
                    blame="key",
                )
            )
            del own[other]
        if kind in kinds:
            own[OPTIONS] = cls._options(kinds[kind].fields, kind, value, vocabulary, faults)
        return own

    @classmethod
    def _options(
        cls, fields: Model | None, kind: str, value: dict[str, Any], vocabulary: Any, faults: list[Fault]
    ) -> Any:
        given = {} if kind in cls._known else value.get(kind, {})
        if isinstance(given, dict):
            return plugin_options(fields, given, kind, vocabulary, faults) if fields is not None or given else {}
        faults.append(Fault(f"a map with the fields of {kind} is needed here", code=Code.BAD_TYPE, key=(kind,)))
        return {}


class Expectation(Shape):
    """A test of the topology itself."""

    expects: ClassVar[str] = "a map with `from`, `to` and `verdict`"

    from_: Name = Field(alias="from")
    """The host that would connect, or a network for one unnamed host of it."""
    to: Text
    """A target, a host (its SSH server), `host:port` or an address."""
    verdict: Literal["reachable", "unreachable"]
    """What the model has to find."""
    via: Many[Name] = ()
    """Servers that the path must pass, in order."""
    direct: bool = False
    """Whether one bare dial is meant, instead of any path."""
