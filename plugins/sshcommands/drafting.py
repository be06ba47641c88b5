"""Invocations of ssh as one topology: servers, what is behind which, targets and tunnels; comments where it is not
safe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestra.diagnostics import KeyPath
from orchestra.loading.sshconfig.values import Jump
from orchestra.model.address import is_loopback
from orchestra.model.names import UnsafeName, check_file, check_user
from orchestra.model.text import clean
from orchestra.plugin.interfaces import Imported

from .forwards import End, Forward
from .invocation import Invocation

HERE = "here"
_CHECKS = {"user": check_user, **dict.fromkeys(("identity", "certificate", "known_hosts", "ssh_config"), check_file)}
_LOCAL = "is reached by everybody who reaches this machine, as it was with ssh"
_REMOTE = "is reached by everybody who reaches the server, when its GatewayPorts permits that"


def drafted(invocations: Iterable[Invocation], source: str, hosts: Mapping[str, Invocation] | None = None) -> Imported:
    """The topology that opens the same forwards. ``hosts``: what else may be meant where one goes through another."""
    draft = _Draft(hosts or {})
    for each in invocations:
        draft.add(each)
    return draft.made(source)


def with_left_out(made: Imported, said: Iterable[str]) -> Imported:
    """The same, with what is said of hosts that it has not."""
    return replace(made, notes={**made.notes, ("servers",): lines} if (lines := tuple(said)) else made.notes)


@dataclass(slots=True)
class _Draft:
    hosts: Mapping[str, Invocation]
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    tunnels: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[KeyPath, tuple[str, ...]] = field(default_factory=dict)
    needs_here: bool = False

    def add(self, made: Invocation) -> None:
        server = self._login(made, ())
        if made.notes:
            self.notes["servers", server] = tuple(dict.fromkeys((*self._noted("servers", server), *made.notes)))
        for forward in made.forwards:
            self._forward(server, forward, exposed=made.exposed)

    def _login(self, made: Invocation, passed: tuple[str, ...]) -> str:
        behind: str | None = None
        for jump in made.jumps:
            host = self.hosts.get(jump.host) if jump == Jump(jump.host) and behind is None else None
            if host is not None and jump.host not in passed:
                behind = self._login(host, (*passed, jump.host))
            else:
                behind = self._server(jump.host, _keys(jump), behind)
        return self._server(made.host, made.ssh, behind)

    def made(self, source: str) -> Imported:
        document: dict[str, Any] = {"clients": {HERE: {}}} if self.needs_here else {}
        document["servers"] = {name: _short(entry) for name, entry in self.servers.items()}
        if self.targets:
            document["targets"] = self.targets
        document["tunnels"] = self.tunnels
        head: KeyPath = ()
        notes = {head: (f"From {clean(source, 80)}. `orchestra plan` shows what it opens.",)} | self.notes
        if not self.tunnels:
            notes["tunnels",] = ("nothing was forwarded there",)
        return Imported(document=document, notes=notes)

    def _server(self, host: str, ssh: dict[str, Any], behind: str | None) -> str:
        entry: dict[str, Any] = {"behind": behind} if behind else {}
        safe, unsafe = _safe(ssh)
        entry["ssh"] = {"host": host} | safe
        host = ssh.get("config_host", host)
        for name, known in self.servers.items():
            if {**known, "forwarding": None} == {**entry, "forwarding": None}:
                return name
        name = _free(host, {*self.servers, *self.targets, HERE})
        self.servers[name] = entry
        if unsafe:
            self.notes["servers", name] = unsafe
        return name

    def _forward(self, server: str, forward: Forward, *, exposed: bool) -> None:
        dialer, entry = (HERE, server) if forward.direction == "R" else (server, HERE)
        self.needs_here |= forward.direction == "R"
        target = None if forward.dial is None else self._target(dialer, forward.dial)
        if forward.listen is None:
            said = f"it was -W: `orchestra connect FILE {target}` joins it to standard input and output"
            self.notes["targets", str(target)] = (said,)
            return
        tunnel: dict[str, Any] = {"kind": "socks", "exit": dialer} if target is None else {}
        wide = forward.listen.host is None and exposed and forward.direction != "R"
        listen = End("*", forward.listen.port) if wide else forward.listen
        tunnel |= {"at": server} if entry == server else {}
        tunnel["listen"] = str(listen) if listen.port or listen.path else f"{str(listen)[:-1]}auto"
        name = _free(target or f"socks-{listen.port or server}", self.tunnels)
        if target is not None and name != target:
            tunnel["to"] = target
        self.tunnels[name] = tunnel
        if listen.path is None and listen.host is not None and not is_loopback(listen.host):
            self._expose(name, server, remote=entry == server)

    def _expose(self, tunnel: str, server: str, *, remote: bool) -> None:
        self.notes["tunnels", tunnel] = (f"DANGER: it {_REMOTE if remote else _LOCAL}",)
        if remote:
            self.servers[server]["forwarding"] = {"gateway_ports": "clientspecified"}
            assumed = "assumed: its sshd has `GatewayPorts clientspecified`"
            self.notes["servers", server] = tuple(dict.fromkeys((*self._noted("servers", server), assumed)))

    def _target(self, dialer: str, dial: End) -> str:
        own = dial.host is not None and is_loopback(dial.host)
        entry = {"host": dialer} if own or dial.path else {"behind": dialer}
        entry["address"] = str(dial)
        for name, known in self.targets.items():
            if known == entry:
                return name
        wish = f"{dialer if own or dial.path else dial.host}-{dial.port or 'socket'}"
        name = _free(wish, {*self.servers, *self.targets, HERE})
        self.targets[name] = entry
        return name

    def _noted(self, *path: str) -> tuple[str, ...]:
        return self.notes.get(path, ())


def _safe(ssh: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a topology takes of a login, and what is said of the rest."""
    safe, unsafe = dict(ssh), []
    for key, check in _CHECKS.items():
        values = ssh.get(key, ())
        for value in (values,) if isinstance(values, str) else values:
            try:
                check(value)
            except UnsafeName as error:
                safe.pop(key, None)
                unsafe.append(f"its {key} is not taken over: {error}")
    return safe, tuple(unsafe)


def _keys(jump: Jump) -> dict[str, Any]:
    return {key: value for key, value in (("user", jump.user), ("port", jump.port)) if value}


def _short(entry: dict[str, Any]) -> Any:
    """``[user@]host[:port]`` where that says it all."""
    ssh = entry["ssh"]
    if ssh.keys() <= {"host", "user", "port"} and ":" not in ssh["host"]:
        text = f"{ssh['user']}@" if "user" in ssh else ""
        text += ssh["host"] + (f":{ssh['port']}" if "port" in ssh else "")
        return text if entry.keys() == {"ssh"} else entry | {"ssh": text}
    return entry


def _free(wish: str, taken: Iterable[str]) -> str:
    """A name that no other is like, also not as a variable: ``ORCHESTRA_<NAME>_PORT`` has but letters and digits."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wish).strip("-._")[:60]
    plain = plain if plain[:1].isalpha() else f"host-{plain}".strip("-")
    folded = {"any", *map(_fold, taken)}  # `any` is a word of the rules
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(folded) + 3)))
    return next(name for name in names if _fold(name) not in folded)


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", name.lower())
