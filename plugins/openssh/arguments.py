"""How ssh is called: what the topology says of a server, as keywords of ssh_config(5). Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestra.diagnostics import Code
from orchestra.model.address import SSH_PORT
from orchestra.model.text import clean
from orchestra.model.topology import Host, SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.errors import OpenFailed

KEEPALIVE_FIRST, KEEPALIVE_STEP, KEEPALIVE_PROBES = 15.0, 5.0, 3
"""Seconds that a first hop may be silent, and that each further one may be longer; after so many questions."""
_HOME = "~/.ssh"

_ALWAYS = {
    "ControlMaster": "yes",
    "ControlPersist": "no",
    "ClearAllForwardings": "yes",
    "ExitOnForwardFailure": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "Tunnel": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "BatchMode": "no",  # questions go to askpass, where nobody may be
    "EscapeChar": "none",
    "VisualHostKey": "no",
    "LogLevel": "DEBUG1",  # who connects to a listener, and why a listener is refused, is said there only
    "NoHostAuthenticationForLocalhost": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of ssh: whom it is for, what is set, and where it is to go."""

    destination: str
    config: str | None
    """A file in place of the user's, or ``none``."""
    options: tuple[tuple[str, str], ...]

    def words(self, *first: str) -> tuple[str, ...]:
        """The argument list; ``first`` stands before the options."""
        named = ("-F", self.config) if self.config else ()
        said = (f"{keyword}={value}" for keyword, value in self.options)
        return ("ssh", *first, *named, *(word for each in said for word in ("-o", each)), "--", self.destination)

    def also(self, **options: str) -> Call:
        """The same with more keywords; the first that says something decides."""
        return replace(self, options=(*self.options, *options.items()))


def call(request: OpenRequest, settings: SshSettings, extra: Mapping[str, str], pins: Path) -> Call:
    """What the topology says. ``pins`` is where its host keys are written. Raises OpenFailed for what ssh cannot do."""
    server = request.server
    if settings.private_key is not None:
        raise _cannot(server, "private_key", "ssh reads keys from files and agents: name identity or agent")
    config = _config(server, settings.ssh_config)
    options = [*_ALWAYS.items(), *extra.items(), *_place(request, settings), *_login(settings)]
    options += _trust(settings, pins)
    options += _keepalive(settings, request.depth)
    destination = settings.config_host or settings.host or server.name
    return Call(destination=destination, config=config, options=tuple(options))


def pinned(settings: SshSettings) -> str:
    """The host keys of the topology, as a known_hosts file that holds for every name (sshd(8))."""
    lines = []
    for key in settings.host_key:
        marker, _, rest = key.rpartition("@cert-authority ")
        lines.append(f"@cert-authority * {rest}" if marker or key != rest else f"* {key}")
    return "\n".join((*lines, ""))


def _word(text: str) -> str:
    """One word, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _literal(text: str) -> str:
    """One word in which ssh expands nothing."""
    return _word(text.replace("%", "%%"))


def _config(server: Host, file: str | None) -> str | None:
    """ssh runs what its configuration says, so a topology may not bring one along."""
    if file is None or file == "none":
        return file
    if not Path(file).resolve().is_relative_to(Path(_HOME).expanduser().resolve()):
        hint = f"move it below {_HOME}, or use the transport ssh, which runs nothing unasked"
        raise _cannot(server, f"ssh_config: {clean(file, 200)}", f"only files of your own {_HOME} are run by", hint)
    return file


def _cannot(server: Host, what: str, why: str, hint: str | None = None) -> OpenFailed:
    message = f"{server.name}: {what} is not possible with transport: openssh"
    return OpenFailed(Code.TRANSPORT_CANNOT, message, host=server.name, suggestion=hint or why)


def _place(request: OpenRequest, settings: SshSettings) -> Iterator[tuple[str, str]]:
    """Where it is: the user's ssh_config decides what the topology leaves open."""
    dial = request.dial
    if settings.user is not None:
        yield "User", _word(settings.user)
    if settings.host_key_name is not None:
        yield "HostKeyAlias", _word(settings.host_key_name)
    left_open = dial.path is None and dial.host == settings.host and settings.config_host is None
    if not left_open and settings.host_key_name is None:
        yield "HostKeyAlias", _word(_filed(request, settings))
    if not left_open and dial.host is not None:
        yield "HostName", _literal(dial.host)
    if not left_open or settings.port is not None or dial.port != SSH_PORT:
        yield "Port", str(dial.port or SSH_PORT)


def _filed(request: OpenRequest, settings: SshSettings) -> str:
    """The name of its key: the server's own name and port, never those of somebody's nat."""
    host, port = request.server, settings.port or SSH_PORT
    addresses = [str(address) for attachment in host.attachments for address in attachment.addresses]
    names = [name.text for name in host.names]
    dialed = request.dial.host if request.dial.host in addresses else None
    name = (settings.host or next(iter((*names[:1], *filter(None, [dialed]), *addresses)), host.name)).lower()
    return name if port == SSH_PORT else f"[{name}]:{port}"


def _login(settings: SshSettings) -> Iterator[tuple[str, str]]:
    """Only what the topology names is offered; when it names nothing, what ssh offers."""
    yield from (("IdentityFile", _literal(file)) for file in settings.identity)
    yield from (("CertificateFile", _literal(file)) for file in settings.certificate)
    if settings.identity:
        yield "IdentitiesOnly", "yes"
    if settings.agent is not None:
        yield "IdentityAgent", settings.agent if settings.agent == "none" else _literal(settings.agent)
        if not settings.identity:
            yield "IdentityFile", "none"
    if settings.password is not None:
        yield "NumberOfPasswordPrompts", "1"
        yield "PubkeyAuthentication", "yes" if settings.identity or settings.agent not in (None, "none") else "no"
    elif settings.identity or settings.agent is not None:
        yield "PasswordAuthentication", "no"


def _trust(settings: SshSettings, pins: Path) -> Iterator[tuple[str, str]]:
    files: Sequence[str] = (str(pins),) if settings.host_key else settings.known_hosts
    if files:
        yield "UserKnownHostsFile", " ".join(_literal(file) for file in files)
        yield "GlobalKnownHostsFile", "none"
        yield "VerifyHostKeyDNS", "no"
    if settings.host_key or settings.host_key_policy == "strict":
        yield "StrictHostKeyChecking", "yes"
    elif settings.host_key_policy is not None:
        yield "StrictHostKeyChecking", settings.host_key_policy
    if settings.host_key:
        yield "UpdateHostKeys", "no"


def _keepalive(settings: SshSettings, depth: int) -> Iterator[tuple[str, str]]:
    """ssh gives up when one question more than ServerAliveCountMax would be due."""
    usual = KEEPALIVE_FIRST + KEEPALIVE_STEP * (depth - 1)
    silence = usual if settings.keepalive is None else settings.keepalive
    yield "ServerAliveInterval", str(math.ceil(silence / KEEPALIVE_PROBES))
    yield "ServerAliveCountMax", str(KEEPALIVE_PROBES - 1)
