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
from orchestra.loading.shapes.base import NAME, JsonSchema, ListOnly, Many, Name, Shape, Text
from orchestra.loading.shapes.plugged import Transport
from orchestra.loading.shapes.ssh import Forwarding, Ssh
from orchestra.loading.shapes.values import DNS_NAME, Cidr, DnsText, Ip, Port, PortRange, Service
from orchestra.model.address import Endpoint

_HOST_AND_PORT = re.compile(r"unix:|[^*].*[:/]", re.DOTALL)


class Network(Shape):
    """A segment whose hosts reach one another's addresses directly. Short form: a CIDR, or a list of them."""

    expects: ClassVar[str] = "a CIDR, a list of them, or a map with `cidr`"
    short: ClassVar[tuple[JsonSchema, ...]] = (
        {"type": "null"},
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
    )

    cidr: Many[Cidr] = Field(default=(), examples=[["10.30.0.0/24", "fd00:30::/64"]])
    """The addresses of the network; default: every address that no other network contains."""

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


Networks: TypeAlias = Annotated[
    dict[str, Annotated[Many[Ip], _NoAddress()]],
    _Keyed(_networks, {"type": "array", "items": {**NAME, "type": "string"}}),
]
Names: TypeAlias = Annotated[dict[str, Many[DnsText]], _Keyed(_names, DNS_NAME, {"type": "array", "items": DNS_NAME})]


class RuleBody(Shape):
    """What a rule matches."""

    expects: ClassVar[str] = "a map with `from`, `to`, `ports` and `protocol`"

    from_: Many[Text] = Field(default=("any",), alias="from")
    """Who dials: a network (by address, however far away), a host or target (any address), a CIDR, `any`."""
    to: Many[Text] = ("any",)
    """Who is dialed, in the same words; as it is after destination nat."""
    ports: Many[PortRange] = Field(default=(), examples=[[443, "8000-8100"]])
    """Ports that are dialed, and ranges of them; default: all."""
    protocol: Literal["tcp", "udp", "any"] = "tcp"
    """The protocol that it matches."""


class Rule(Shape):
    """One rule of a packet filter: either what it allows or what it denies. The first that matches decides."""

    expects: ClassVar[str] = "a rule, a map with `allow` or `deny`,"

    name: Text | None = None
    """What explanations call the rule; default: its place in the file."""
    allow: RuleBody | None = None
    """What passes; `{}` is everything over tcp."""
    deny: RuleBody | None = None
    """What does not pass; in place of `allow`."""

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

    network: Name
    """The network of the firewall that the traffic arrives from, or leaves by."""
    port: Port | None = None
    """The port of the firewall's own address on that network that is passed on."""
    to: Text | None = Field(default=None, examples=["gateway:22"])
    """Who gets it, as HOST or HOST:PORT; without a port, the published one."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """The protocol of what is passed on."""
    masquerade: bool = False
    """Whether what leaves by the network bears the firewall's own address there; in place of `port` and `to`."""

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

    networks: Networks = Field(default_factory=dict, examples=[{"office": "10.20.0.2"}])
    """The networks it is attached to, with its addresses there; in a list, they are unknown."""
    names: Names = Field(default_factory=dict, examples=[["gw.office.example"]])
    """Its DNS names, by network where they differ."""
    inbound: Rules | None = None
    """Rules of its own packet filter, ordered; where none matches, it denies; default: no filter."""
    route: dict[str, Name] = Field(default_factory=dict, examples=[{"vault": "core"}])
    """The firewall that leads to a network; default: the way with the fewest firewalls."""


class ServerPart(Machine):
    """A host that may run an SSH server."""

    nested: ClassVar[dict[str, type[Shape]]] = {"ssh": Ssh, "transport": Transport, "forwarding": Forwarding}

    ssh: Ssh | None = None
    """How to log in; of a client or firewall, makes it a server too."""
    transport: Transport | None = None
    """How sessions to it are opened; default: `ssh`."""
    forwarding: Forwarding | None = None
    """What its sshd permits; default: everything, with listeners on loopback only."""
    cost: Annotated[int, Field(ge=0)] | None = None
    """What a path through it costs, of which the least sum is taken; default: 0."""


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
    """What may pass, ordered; the first rule that matches decides, and where none matches it denies."""
    nat: Nats = ()
    """Address translation; permits nothing by itself."""


class Server(ServerPart):
    """A host with an SSH server. Short form: "[user@]host[:port]"."""

    expects: ClassVar[str] = "a server, [user@]host[:port] or a map,"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "null"}, {"type": "string", "minLength": 1})

    behind: Many[Name] = ()
    """The only hosts that dial it, whatever the networks."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if value is None:
            return {}
        return {"ssh": Ssh.long_form(value)} if isinstance(value, str) else value


class Target(Machine):
    """A service to be reached. Short form: "HOST:PORT"."""

    expects: ClassVar[str] = "a target, HOST:PORT or a map with `address`,"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "string", "minLength": 1},)

    host: Name | None = None
    """The host it runs on, when that is declared elsewhere; default: a machine of its own."""
    address: Service | None = Field(default=None, examples=["127.0.0.1:5432"])
    """Where the service listens, as its own host sees it; a bare port: all its addresses.
    Needed, unless `display` has the port."""
    display: Annotated[int, Field(ge=0, le=59635)] | None = None
    """A VNC display, in place of a port: N is port 5900 + N."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """What the service speaks."""
    behind: Many[Name] = ()
    """The only hosts that dial it, whatever the networks."""

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
