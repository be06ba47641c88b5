"""How to log in to a server, and what its sshd permits."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, Faults, describe, from_address
from orchestra.loading.nodes import BROKEN
from orchestra.loading.report import plugins_word, quoted
from orchestra.loading.shapes.base import JsonSchema, Many, Parsed, Shape, named
from orchestra.loading.shapes.plugged import plugin_options
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
from orchestra.plugin.vocabulary import SecretSpec, Vocabulary

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
            suggestion=plugins_word("secret", kind, known, info.context.absent if info.context else ()),
            key=(kind,),
        )
    if known[kind].fields is not None:
        return SecretRef(kind=kind, value=_secret_options(known[kind], item, info.context or Vocabulary()))
    return SecretRef(kind=kind, value=_secret_value(known[kind], item))


def _secret_options(spec: SecretSpec, item: Any, vocabulary: Vocabulary) -> Any:
    faults: list[Fault] = []
    options = plugin_options(spec.fields, item, spec.name, vocabulary, faults)
    if faults:
        raise Faults(faults)
    return options


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
_HOST_KEY = named("host key", "`TYPE KEY` as in a `.pub` file, or `@cert-authority TYPE KEY`", {"type": "string"})
_PERMITTED = named("permission", "`host:port` as in sshd_config, `*` for either, or `any`", {"type": "string"})
HostKey: TypeAlias = Annotated[str, Parsed(host_key_line, _HOST_KEY, text=True)]
Permitted: TypeAlias = Annotated[str, Parsed(permitted, _PERMITTED, text=True)]


class Ssh(Shape):
    """How to log in. What is left out comes from ssh_config, else from the defaults. Short form: [user@]host[:port]."""

    expects: ClassVar[str] = "a login, [user@]host[:port] or a map"
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "string", "minLength": 1},)

    host: HostName | None = None
    """What is dialed when no network gives an address; default: the server's own name, as ssh_config has it."""
    port: Port | None = None
    """The port of its sshd; default: 22."""
    user: User | None = None
    """The account to log in to; default: your own name."""
    config_host: ConfigHost | None = None
    """The Host of ssh_config to resolve; default: `host`, else the server's name."""
    ssh_config: FileName | None = None
    """The file to read in place of ssh's own, or `none`; default: `~/.ssh/config` and `/etc/ssh/ssh_config`."""
    identity: Many[FileName] = Field(default=(), examples=["~/.ssh/id_work"])
    """Private key files, offered in this order, and nothing else; default: the agent's keys and `~/.ssh/id_*`."""
    private_key: Secret | None = None
    """The private key itself, in place of a file."""
    passphrase: Secret | None = None
    """What unlocks the private key; default: a person is asked."""
    certificate: Many[FileName] = ()
    """OpenSSH certificates of the keys; default: `KEY-cert.pub` beside each."""
    agent: FileName | None = None
    """The socket of an agent, or `none`; default: that of SSH_AUTH_SOCK."""
    password: Secret | None = None
    """The password; default: a person is asked, where nothing else is named."""
    host_key: Many[HostKey] = Field(
        default=(), examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKRjDbAVAJzyF5xYGA1hGVJZoPq2YgKXzBtx3DqZpfIY"]
    )
    """The server's public host keys, or authorities that sign them; default: those of `known_hosts`."""
    known_hosts: Many[FileName] = ()
    """Files with host keys; default: the user's and the system's."""
    host_key_name: HostName | None = None
    """The name that is looked up among known host keys, as it is written; default: `host`, else the first of `names`,
    else the address."""
    host_key_policy: Literal["ask", "strict", "accept-new"] | None = None
    """What becomes of an unknown host key: a person is asked, it is refused, or it is believed and written;
    default: `ask` at a terminal, else `strict`."""
    keepalive: Duration | None = None
    """How long the server may be silent before its session counts as lost, 0 for ever; default: 15s, and 5s more for
    each session that it goes through."""
    connect_timeout: PositiveDuration | None = None
    """How long a session may take to open, without the time that a person needs to answer; default: 10s."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return login(value) if isinstance(value, str) else value


class _PermitList:
    """``any``, or a list as in sshd_config; None is any."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_permit_list, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [_PERMITTED, {"type": "array", "items": _PERMITTED}]}


def _permit_list(value: Any) -> Any:
    if value == "any":
        return None
    return tuple(item for item in value if item is not BROKEN) if isinstance(value, list) else (value,)


class Forwarding(Shape):
    """What the server's sshd permits, as in sshd_config(5)."""

    expects: ClassVar[str] = "a map of what sshd permits"

    local: bool = True
    """Dials on our behalf: AllowTcpForwarding for -L, -D, -W and -J."""
    remote: bool = True
    """Listeners on our behalf: AllowTcpForwarding for -R."""
    unix: bool = True
    """Unix sockets, dialed and listened on: AllowStreamLocalForwarding."""
    exec: bool = True
    """Commands."""
    gateway_ports: Annotated[
        Literal["no", "yes", "clientspecified"],
        Parsed(gateway_ports_word, {"enum": ["no", "yes", "clientspecified", True, False]}),
    ] = "no"
    """Listeners beyond loopback: GatewayPorts."""
    permit_open: Annotated[tuple[Permitted, ...] | None, _PermitList()] = Field(
        default=None, examples=[["db.internal:5432"]]
    )
    """What may be dialed: PermitOpen, as literal `host:port` with `*` for either; default: `any`."""
    permit_listen: Annotated[tuple[Permitted, ...] | None, _PermitList()] = Field(
        default=None, examples=[["localhost:8080"]]
    )
    """Where may be listened: PermitListen, as literal `host:port` with `*` for either; default: `any`."""
