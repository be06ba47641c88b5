"""How to log in to a server, and what its sshd permits."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, describe, from_address
from orchestra.loading.nodes import BROKEN
from orchestra.loading.report import did_you_mean, quoted
from orchestra.loading.shapes.base import JsonSchema, Many, Parsed, Shape
from orchestra.loading.shapes.values import (
    ConfigHost,
    Duration,
    FileName,
    HostName,
    Port,
    PositiveDuration,
    User,
    file_name,
)
from orchestra.model.address import AddressError, UnixPath, parse_address
from orchestra.model.topology import SecretRef
from orchestra.plugin.vocabulary import SecretSpec

SECRET: JsonSchema = {"$comment": "a secret"}
"""Stands in the schema for what the vocabulary's secrets make of it."""
CERT_AUTHORITY = "@cert-authority"
BY_REFERENCE = (
    "write {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}: a topology is shared, a secret is not"
)


def login(text: str) -> dict[str, Any]:
    """``[user@]host[:port]`` as the keys of :class:`Ssh`."""
    user, at, place = text.rpartition("@")
    try:
        found = parse_address(place, port_required=False)
    except AddressError as error:
        raise from_address(error) from None
    if isinstance(found, UnixPath) or found.host is None:
        raise Fault(
            f"{quoted(text)} names no host", code=Code.BAD_ADDRESS, suggestion="a server is written [user@]host[:port]"
        )
    keys: dict[str, Any] = {"host": found.host}
    if at:
        keys["user"] = user
    if found.port is not None:
        keys["port"] = found.port
    return keys


def host_key_line(text: str) -> str:
    """A line as in a public key file, perhaps after ``@cert-authority``: the type, then the key that bears it."""
    words = text.split()
    marker = words[:1] == [CERT_AUTHORITY]
    kind, key = (*words[marker:], "", "")[:2]
    try:
        blob = base64.b64decode(key, validate=True)
        good = len(blob) > 4 and blob[4:].startswith(kind.encode()) and int.from_bytes(blob[:4], "big") == len(kind)
    except (binascii.Error, ValueError):
        good = False
    if not (good and kind):
        hint = (
            "the fingerprint is not enough; " if "SHA256:" in text or "MD5:" in text else ""
        ) + "write 'TYPE KEY' as in the server's ssh_host_*_key.pub, or as ssh-keyscan prints it without the name"
        raise Fault(f"{quoted(text, 40)} is not a host key", suggestion=hint)
    return " ".join(words[: marker + 2])


def permitted(text: str) -> str:
    """``host:port`` as in sshd_config's PermitOpen, ``*`` for either."""
    host, colon, number = text.rpartition(":")
    if not (colon and host and (number == "*" or (number.isdecimal() and 0 < int(number[:20]) <= 65535))):
        raise Fault(
            f"{quoted(text)} is not host:port", code=Code.BAD_ADDRESS, suggestion="write host:port, with * for either"
        )
    return text


def gateway_ports_word(value: Any) -> str:
    """One of sshd's three words, two of which YAML reads as booleans."""
    word = value if isinstance(value, str) else "yes" if value is True else "no" if value is False else ""
    if word not in ("no", "yes", "clientspecified"):
        raise Fault("gateway_ports is no, yes or clientspecified, as in sshd_config")
    return word


class _Secret:
    """A secret by reference: a map with one key, which the vocabulary knows."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(_secret)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(SECRET)


def _secret(value: Any, info: ValidationInfo) -> SecretRef:
    if not isinstance(value, dict):
        message = "a secret is not written into the file" if isinstance(value, str | int) else "a secret is a map"
        raise Fault(message, code=Code.BAD_TYPE, suggestion=BY_REFERENCE)
    if not value:
        raise Fault(
            "the secret names no source", code=Code.MISSING_KEY, suggestion=BY_REFERENCE, key=("env",), blame="missing"
        )
    if len(value) != 1:
        raise Fault(f"a secret has one key, not {len(value)}", suggestion=BY_REFERENCE)
    [(kind, item)] = value.items()
    known = info.context.secrets if info.context else {}
    if kind not in known:
        raise Fault(
            f"no secret is read by {quoted(kind)}",
            code=Code.UNKNOWN_NAME,
            suggestion=did_you_mean(kind, known),
            key=(kind,),
        )
    return SecretRef(kind=kind, value=_secret_value(known[kind], item))


def _secret_value(spec: SecretSpec, item: Any) -> Any:
    if spec.value == "any":
        return item
    if spec.value == "command":
        if not (isinstance(item, list) and item and all(isinstance(word, str) for word in item)):
            raise Fault(
                "a command is a list of words",
                code=Code.BAD_TYPE,
                suggestion="write [PROGRAM, ARGUMENT]",
                key=(spec.name,),
            )
        return tuple(item)
    if not isinstance(item, str) or not item:
        raise Fault(f"text is needed here, not {describe(item)}", code=Code.BAD_TYPE, key=(spec.name,))
    return file_name(item) if spec.value == "path" else item


Secret: TypeAlias = Annotated[SecretRef, _Secret()]
HostKey: TypeAlias = Annotated[str, Parsed(host_key_line, {"type": "string"}, text=True)]
Permitted: TypeAlias = Annotated[str, Parsed(permitted, {"type": "string"}, text=True)]


class Ssh(Shape):
    """How to log in. Short form: "[user@]host[:port]"."""

    expects: ClassVar[str] = "a login, [user@]host[:port] or a map"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "string", "minLength": 1},)

    host: HostName | None = None
    """What to dial when no network gives an address."""
    port: Port | None = None
    """The port of its sshd; 22 when left out."""
    user: User | None = None
    """The account to log in to."""
    config_host: ConfigHost | None = None
    """The Host of ssh_config to resolve; default: what `ssh HOST` would resolve."""
    ssh_config: FileName | None = None
    """The ssh_config to read, or `none`."""
    identity: Many[FileName] = ()
    """Private key files, tried in order."""
    private_key: Secret | None = None
    """A private key as a secret, in place of a file."""
    passphrase: Secret | None = None
    """What unlocks the private key, as a secret."""
    certificate: Many[FileName] = ()
    """OpenSSH certificate files."""
    agent: FileName | None = None
    """The socket of an agent, or `none`."""
    password: Secret | None = None
    """A password, as a secret."""
    host_key: Many[HostKey] = ()
    """The server's public host key, as `TYPE KEY`; or a list; or `@cert-authority TYPE KEY`."""
    known_hosts: Many[FileName] = ()
    """Files with host keys, in place of the user's own."""
    host_key_name: HostName | None = None
    """The name that is looked up among known host keys."""
    host_key_policy: Literal["ask", "strict", "accept-new"] | None = None
    """What to do with an unknown host key: `ask` (at a terminal), `strict`, `accept-new`."""
    keepalive: Duration | None = None
    """How often to ask whether the connection lives; 0: never."""
    connect_timeout: PositiveDuration | None = None
    """How long a connection may take to open."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return login(value) if isinstance(value, str) else value


class _PermitList:
    """``any``, or a list as in sshd_config; None is any."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_permit_list, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        item: JsonSchema = {"type": "string"}
        return {"anyOf": [item, {"type": "array", "items": item}]}


def _permit_list(value: Any) -> Any:
    if value == "any":
        return None
    return tuple(item for item in value if item is not BROKEN) if isinstance(value, list) else (value,)


class Forwarding(Shape):
    """What the server's sshd permits, as in sshd_config(5)."""

    expects: ClassVar[str] = "a map of what sshd permits"

    local: bool = True
    """AllowTcpForwarding for -L, -D, -W and -J."""
    remote: bool = True
    """AllowTcpForwarding for -R."""
    unix: bool = True
    """AllowStreamLocalForwarding."""
    exec: bool = True
    """Whether commands may be run."""
    gateway_ports: Annotated[
        Literal["no", "yes", "clientspecified"],
        Parsed(gateway_ports_word, {"enum": ["no", "yes", "clientspecified", True, False]}),
    ] = "no"
    """GatewayPorts: whether remote listeners may be bound beyond loopback."""
    permit_open: Annotated[tuple[Permitted, ...] | None, _PermitList()] = None
    """PermitOpen: `any`, or literal host:port, * for either."""
    permit_listen: Annotated[tuple[Permitted, ...] | None, _PermitList()] = None
    """PermitListen: `any`, or literal host:port, * for either."""
