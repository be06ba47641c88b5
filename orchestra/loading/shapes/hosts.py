"""Networks, hosts of every kind, their rules and nat."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, Faults, describe
from orchestra.loading.nodes import BROKEN
from orchestra.loading.report import quoted
from orchestra.loading.shapes.base import JsonSchema, ListOnly, Many, Shape, Text
from orchestra.loading.shapes.plugged import Transport
from orchestra.loading.shapes.ssh import Forwarding, Ssh
from orchestra.loading.shapes.values import Cidr, DnsText, Ip, Port, PortRange, Service
from orchestra.model.address import Endpoint

_HOST_AND_PORT = re.compile(r"unix:|[^*].*[:/]", re.DOTALL)
_NAME: JsonSchema = {"type": "string"}


class Network(Shape):
    """A segment whose hosts reach one another's addresses directly. Short form: a CIDR, a list of them, or nothing."""

    expects: ClassVar[str] = "a CIDR, a list of them, or a map with `cidr`"
    short: ClassVar[tuple[JsonSchema, ...]] = (
        {"type": "null"},
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
    )

    cidr: Many[Cidr] = ()
    """The addresses of the network; without: every address that no other network contains."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if value is None:
            return {}
        return {"cidr": value} if isinstance(value, str | list) else value


class _Keyed:
    """In front of a map from networks: what a list, or one value, stands for."""

    def __init__(self, form: Any, *short: JsonSchema) -> None:
        self.form = form
        self.short = short

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.form, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [*self.short, handler(schema)]}


class _NoAddress:
    """Nothing stands for no addresses."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: [] if value is None else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [*handler(schema)["anyOf"], {"type": "null"}]}


def _networks(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    names: dict[str, None] = {}
    faults = []
    for index, name in enumerate(value):
        if name is BROKEN:
            continue
        if not isinstance(name, str):
            what = f"the name of a network is needed here, not {describe(name)}"
            faults.append(Fault(what, code=Code.BAD_TYPE, key=(index,)))
        elif name in names:
            faults.append(Fault(f"the network {quoted(name)} stands here twice", key=(index,)))
        else:
            names[name] = None
    if faults:
        raise Faults(faults)
    return names


def _names(value: Any) -> Any:
    return value if isinstance(value, dict) else {"": value}


_A_LIST: JsonSchema = {"type": "array", "items": {"type": "string"}}
Networks: TypeAlias = Annotated[dict[str, Annotated[Many[Ip], _NoAddress()]], _Keyed(_networks, _A_LIST)]
Names: TypeAlias = Annotated[dict[str, Many[DnsText]], _Keyed(_names, _NAME, _A_LIST)]


class RuleBody(Shape):
    """What a rule matches; what is left out matches everything, except the protocol, which is tcp."""

    expects: ClassVar[str] = "a map with `from`, `to`, `ports` and `protocol`"

    from_: Many[Text] = Field(default=("any",), alias="from")
    """A network, a host or target, a CIDR, `any`; or a list."""
    to: Many[Text] = ("any",)
    """A network, a host or target, a CIDR, `any`; or a list."""
    ports: Many[PortRange] = ()
    """Ports and ranges such as 8000-8100; without: all."""
    protocol: Literal["tcp", "udp", "any"] = "tcp"
    """tcp when left out."""


class Rule(Shape):
    """One rule of a packet filter: what it allows or what it denies."""

    expects: ClassVar[str] = "a rule, a map with `allow` or `deny`,"

    name: Text | None = None
    """What explanations call it."""
    allow: RuleBody | None = None
    """What passes."""
    deny: RuleBody | None = None
    """What does not pass."""

    @model_validator(mode="after")
    def _one_of(self) -> Rule:
        if self.allow is not None and self.deny is not None:
            raise Fault(
                "a rule allows or denies, not both", suggestion="make two rules of it", key=("deny",), blame="key"
            )
        if self.allow is None and self.deny is None:
            raise Fault(
                "a rule needs `allow` or `deny`",
                code=Code.MISSING_KEY,
                suggestion="write {allow: {from: …, to: …, ports: […]}}",
                key=("allow",),
                blame="missing",
            )
        return self


class Nat(Shape):
    """Destination nat (`port` and `to`) of what arrives from a network, or `masquerade` of what leaves by it."""

    expects: ClassVar[str] = "a map with `network` and either `port` and `to` or `masquerade`"

    network: Text
    """Where the traffic arrives from, or leaves by."""
    port: Port | None = None
    """The port of the firewall's own address that is published."""
    to: Text | None = None
    """Who gets it, HOST:PORT; without a port: the published one."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """tcp when left out."""
    masquerade: bool = False
    """What leaves by the network bears the firewall's own address there."""

    @model_validator(mode="after")
    def _one_of(self) -> Nat:
        if self.masquerade and (self.port is not None or self.to is not None):
            raise Fault("nat is `masquerade`, or `port` and `to`, not both", suggestion="make two entries of it")
        if not self.masquerade:
            for key in ("port", "to"):
                if getattr(self, key) is None:
                    raise Fault(
                        f"nat without `masquerade: true` needs {key!r}",
                        code=Code.MISSING_KEY,
                        key=(key,),
                        blame="missing",
                    )
        return self


class _Tolerant:
    """A list element that is reported already stands as None, so that the others keep their numbers."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            lambda value, inner: None if value is BROKEN else inner(value), handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return handler(schema)


Rules: TypeAlias = Annotated[tuple[Annotated[Rule, _Tolerant()], ...], ListOnly()]
Nats: TypeAlias = Annotated[tuple[Annotated[Nat, _Tolerant()], ...], ListOnly()]


class Machine(Shape):
    """What any host may have."""

    networks: Networks = Field(default_factory=dict)
    """Networks it is attached to: a list, or a map to its address, its addresses, or nothing."""
    names: Names = Field(default_factory=dict)
    """DNS names: a list, or a map from networks where they differ."""
    inbound: Rules | None = None
    """Rules of its own packet filter; present and none matches: denied."""
    route: dict[str, Text] = Field(default_factory=dict)
    """Network to the firewall that leads there."""


class ServerPart(Machine):
    """A host that may run an SSH server."""

    nested: ClassVar[dict[str, type[Shape]]] = {"ssh": Ssh, "transport": Transport, "forwarding": Forwarding}

    ssh: Ssh | None = None
    """How to log in: [user@]host[:port], or a map."""
    transport: Transport | None = None
    """How sessions to it are opened; default: ssh."""
    forwarding: Forwarding | None = None
    """What its sshd permits; default: everything, listeners on loopback only."""
    cost: Annotated[int, Field(ge=0)] | None = None
    """Added to every path through it; the path with the least sum is taken."""


class Client(ServerPart):
    """A host on which people or programs start connections."""

    expects: ClassVar[str] = "a map"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "null"},)

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return {} if value is None else value

    @model_validator(mode="after")
    def _server_needs_ssh(self) -> Client:
        for key in ("transport", "forwarding", "cost"):
            if self.ssh is None and getattr(self, key) is not None:
                raise Fault(
                    f"{key!r} is for SSH servers", suggestion="add `ssh:` to make it one", key=(key,), blame="key"
                )
        return self


class Firewall(Client):
    """A host that passes traffic between its networks by ordered rules; when none matches it denies."""

    rules: Rules = ()
    """Ordered; the first that matches decides."""
    nat: Nats = ()
    """Address translation; it permits nothing by itself."""


class Server(ServerPart):
    """A host with an SSH server. Short form: "[user@]host[:port]"."""

    expects: ClassVar[str] = "a server, [user@]host[:port] or a map,"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "null"}, {"type": "string", "minLength": 1})

    behind: Many[Text] = ()
    """Only these hosts dial it, whatever the networks."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if value is None:
            return {}
        return {"ssh": Ssh.long_form(value)} if isinstance(value, str) else value


class Target(Machine):
    """A service to be reached. Short form: "HOST:PORT"."""

    expects: ClassVar[str] = "a target, HOST:PORT or a map with `address`,"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "string", "minLength": 1},)

    host: Text | None = None
    """The machine it runs on, when that is declared elsewhere."""
    address: Service | None = None
    """Where it listens, as its own host sees it; a bare port: on all its addresses."""
    display: Annotated[int, Field(ge=0, le=59635)] | None = None
    """A VNC display: port 5900 + N."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """tcp when left out."""
    behind: Many[Text] = ()
    """Only these hosts dial it, whatever the networks."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if isinstance(value, str) and not _HOST_AND_PORT.match(value):
            raise Fault(
                f"{quoted(value)} is not HOST:PORT",
                code=Code.BAD_ADDRESS,
                suggestion="a target is written HOST:PORT, or as a map with `address`",
            )
        return {"address": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _port_once(self) -> Target:
        has_port = not isinstance(self.address, Endpoint) or self.address.port is not None
        if self.address is None and self.display is None:
            raise Fault("the key 'address' is missing", code=Code.MISSING_KEY, key=("address",), blame="missing")
        if self.address is not None and has_port and self.display is not None:
            raise Fault(
                "the address has a port already",
                suggestion="keep the port or the display",
                key=("display",),
                blame="key",
            )
        if self.address is not None and not has_port and self.display is None:
            raise Fault(
                f"'{self.address}' has no port",
                code=Code.BAD_ADDRESS,
                suggestion=f"write {self.address}:PORT, or add `display`",
                key=("address",),
            )
        return self

    @model_validator(mode="after")
    def _one_machine(self) -> Target:
        own = [key for key in ("networks", "names", "inbound", "route") if key in self.model_fields_set]
        if self.host is not None and own:
            raise Fault(
                f"the target runs on {quoted(self.host)}, so {own[0]!r} belongs there",
                suggestion="remove `host:`, or move it to that host",
                key=(own[0],),
                blame="key",
            )
        return self
