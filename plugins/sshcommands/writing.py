"""A plan as the commands of ssh that would open it by hand, one for each server at which tunnels are entered or
left."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from orchestra.model.plan import Plan, PlannedSession, PlannedTunnel
from orchestra.model.text import clean
from orchestra.model.topology import Server, SshSettings, Topology
from orchestra.plugin.interfaces import ExportRequest

USUAL = ("-N", "-o", "ExitOnForwardFailure=yes")


class Fields(BaseModel):
    """How the commands are written."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    background: bool = False
    """Whether each goes to the background when its forwards are open (`-f`)."""


def to_commands(request: ExportRequest) -> str:
    """One command a server, and a comment where ssh cannot do the same."""
    work = _Commands(request.plan, request.topology)
    first = ("ssh", "-f", *USUAL) if request.options.get("background") else ("ssh", *USUAL)
    lines = [f"# {clean(request.plan.topology)} by hand: nothing is proven, and what breaks stays broken"]
    lines += [line for tunnel in request.plan.tunnels for line in work.take(tunnel)]
    for id_, (names, *forwards) in work.forwards.items():
        lines += [f"# {names}", shlex.join([*first, *forwards, *work.login(request.plan.session(id_))])]
    return "\n".join(lines) + "\n"


class _Commands:
    """``forwards``: session to what its command has to be given, after the names of the tunnels."""

    def __init__(self, plan: Plan, topology: Topology) -> None:
        self._plan, self._topology = plan, topology
        self.forwards: dict[str, list[str]] = {}

    def take(self, tunnel: PlannedTunnel) -> Iterator[str]:
        """Adds the forwards of a tunnel; what is said instead, where there are none."""
        why = _impossible(tunnel)
        if why is None:
            self._add(tunnel)
        else:
            yield f"# {clean(tunnel.name)}: {why}"

    def _add(self, tunnel: PlannedTunnel) -> None:
        remote = tunnel.direction == "remote"
        session = tunnel.entry if remote else tunnel.exit
        assert session is not None and tunnel.listen is not None  # noqa: S101, PT018 - one end of it is at a server
        letter = "-R" if remote else "-D" if tunnel.dial is None else "-L"
        dial = "" if tunnel.dial is None else f":{_dialed(tunnel)}"
        forwards = self.forwards.setdefault(session, [""])
        forwards[0] = ", ".join(filter(None, (forwards[0], clean(tunnel.name))))
        for listen in _listens(tunnel):
            forwards += [letter, f"{listen}{dial}"]

    def login(self, session: PlannedSession) -> list[str]:
        """How ssh gets to a server: by ``-J`` where each hop says no more than user, host and port."""
        hops = [session]
        while hops[0].via is not None:
            hops.insert(0, self._plan.session(hops[0].via))
        through: list[str] = []
        if before := hops[:-1]:
            plain = all(not self._options(hop) for hop in before)
            jumps = ",".join(self._address(hop) for hop in before)
            through = ["-J", jumps] if plain else ["-o", f"ProxyCommand={self._proxy(hops[-2])}"]
        port = ["-p", str(session.dial.port)] if session.dial.port not in (None, 22) else []
        return [*through, *self._options(session), *port, self._user(session) + str(session.dial.host)]

    def _proxy(self, hop: PlannedSession) -> str:
        """ssh doubles ``%`` in what it runs, but for its own."""
        command = shlex.join(["ssh", *self.login(hop)[:-1]]).replace("%", "%%")
        return f"{command} -W '[%h]:%p' {shlex.quote(self.login(hop)[-1])}"

    def _options(self, session: PlannedSession) -> list[str]:
        """What the topology says of a login, beyond user, host and port."""
        ssh = self._ssh(session)
        found = [word for file in ssh.identity for word in ("-i", file)]
        found += [word for file in ssh.certificate for word in ("-o", f"CertificateFile={file}")]
        if ssh.identity:
            found += ["-o", "IdentitiesOnly=yes"]
        if ssh.known_hosts:
            found += ["-o", f"UserKnownHostsFile={' '.join(ssh.known_hosts)}"]
        if name := ssh.host_key_name or (ssh.host if ssh.host != session.dial.host else None):
            found += ["-o", f"HostKeyAlias={name}"]
        return found

    def _address(self, session: PlannedSession) -> str:
        host, port = str(session.dial.host), session.dial.port
        bracketed = f"[{host}]" if ":" in host else host
        return self._user(session) + bracketed + (f":{port}" if port not in (None, 22) else "")

    def _user(self, session: PlannedSession) -> str:
        user = self._ssh(session).user
        return f"{user}@" if user else ""

    def _ssh(self, session: PlannedSession) -> SshSettings:
        return (self._topology.hosts[session.server].server or Server()).ssh


def _impossible(tunnel: PlannedTunnel) -> str | None:
    """Why no command of ssh opens a tunnel."""
    if tunnel.verdict != "reachable" or tunnel.listen is None:
        return tunnel.verdict
    if tunnel.kind not in ("tcp", "socks"):
        return f"ssh has nothing like kind {clean(tunnel.kind)}"
    if tunnel.direction == "bridge":
        return f"ssh does not join {tunnel.entry} to {tunnel.exit}: -R to a port of here, and -L from it, do"
    if tunnel.direction == "direct":
        return "it is dialed from here, without any ssh"
    if tunnel.direction == "local" and any(bind.port == 0 for bind in tunnel.listen.requests):
        return "ssh chooses no port here: write one as `listen`"
    return None


def _listens(tunnel: PlannedTunnel) -> Iterator[str]:
    """Each socket that it listens on: at a server one request, here one a family."""
    assert tunnel.listen is not None  # noqa: S101 - asked before
    if tunnel.listen.unix is not None:
        yield tunnel.listen.unix.path
        return
    requests = tunnel.listen.requests
    if [bind.host for bind in requests] == ["127.0.0.1", "::1"]:
        requests = (replace(requests[0], host="localhost"),)
    for bind in requests:
        host = f"[{bind.host}]" if ":" in bind.host else bind.host
        yield f"{host}:{bind.port}"


def _dialed(tunnel: PlannedTunnel) -> str:
    assert tunnel.dial is not None  # noqa: S101 - asked before
    return str(tunnel.dial).removeprefix("unix:")
