"""A topology with what ssh_config says of its servers: settings, and the servers that one has to go through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from orchestra.diagnostics import Code, Diagnostic, in_file_order
from orchestra.loading.sshconfig.choosing import Context, Remark, Source
from orchestra.loading.sshconfig.files import Library
from orchestra.loading.sshconfig.merging import asked_host, given, merged
from orchestra.loading.sshconfig.resolving import Resolution, resolve
from orchestra.loading.sshconfig.values import NONE, Jump
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean
from orchestra.model.topology import Host, Server, SshSettings, Topology

_NAMED = 3
"""Servers that a message names."""
_DEEPEST = 16
"""Servers that are gone through, one after the other."""
_Key: TypeAlias = tuple[Jump, tuple[Source, ...], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """``sources`` has the text of every file that was read, by its name."""

    topology: Topology
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def apply_ssh_config(
    topology: Topology, context: Context, standard: tuple[Source, ...], library: Library | None = None
) -> Applied:
    """What the servers of a topology leave unset, as `ssh HOST` would resolve it; raises nothing.

    ``standard`` are the files where a server names none. The file always wins; a server that ssh_config says not to
    dial, or to dial in a way that is not ours, keeps the reasons in its settings.
    """
    work = _Work(topology, context, standard, library or Library())
    work.run()
    return Applied(
        topology=replace(topology, hosts=MappingProxyType(work.hosts)),
        diagnostics=work.warnings(),
        sources=work.library.sources,
    )


class _Loop(Exception):
    """A host that is reached only through itself."""


@dataclass(slots=True)
class _Work:
    topology: Topology
    context: Context
    standard: tuple[Source, ...]
    library: Library
    hosts: dict[str, Host] = field(default_factory=dict)
    _found: dict[str, Resolution] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], Resolution] = field(default_factory=dict)
    _implied: dict[_Key, str] = field(default_factory=dict)
    _placed: set[str] = field(default_factory=set)
    _aliases: dict[str, list[str]] = field(default_factory=dict)

    def run(self) -> None:
        self.hosts = dict(self.topology.hosts)
        servers = sorted(name for name, host in self.hosts.items() if self._sources(host) is not None)
        for name in servers:
            self._settle(name)
        self._aliases = _aliases(self.topology)
        for name in servers:
            try:
                self._place(name, ())
            except _Loop as loop:
                at = self._found[name].proxied_at
                message = f"ProxyJump leads in a circle: {clean(str(loop))}"
                self._refuse(
                    name, Remark(code=Code.SSH_CONFIG_INVALID, message=message, place=at.place if at else None)
                )

    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is not honoured; each line once, with the servers that it concerns."""
        concerned: dict[Remark, list[str]] = {}
        for name, found in sorted(self._found.items()):
            for remark in (*found.warnings, *found.refusals):
                concerned.setdefault(remark, []).append(name)
        return in_file_order(_diagnostic(remark, names, "warning") for remark, names in concerned.items())

    # -- settings

    def _sources(self, host: Host) -> tuple[Source, ...] | None:
        """The files to read for a host; None when there is nothing to ask them."""
        if host.server is None or host.server.transport.type != "ssh" or host.server.ssh.ssh_config == NONE:
            return None
        named = host.server.ssh.ssh_config
        return self.standard if named is None else (Source(path=named, required=True),)

    def _settle(self, name: str) -> None:
        host = self.hosts[name]
        found = self._resolve(asked_host(host), self._sources(host) or (), given(host))
        self._found[name] = found
        self._set(name, replace(host, server=replace(_server(host), ssh=merged(host, found))))
        for remark in found.refusals:
            self._refuse(name, remark)

    def _resolve(self, asked: str, sources: tuple[Source, ...], decided: Mapping[str, Any]) -> Resolution:
        key = (asked, sources, tuple(sorted(decided.items(), key=lambda item: item[0])))
        if key not in self._known:
            self._known[key] = resolve(sources, self.library, asked, self.context, decided)
        return self._known[key]

    def _set(self, name: str, host: Host) -> None:
        self.hosts[name] = host

    def _refuse(self, name: str, remark: Remark) -> None:
        host = self.hosts[name]
        server = _server(host)
        if server.ssh.config is None:
            return
        refusals = dict.fromkeys((*server.ssh.config.refusals, _diagnostic(remark, [name], "error")))
        config = replace(server.ssh.config, refusals=tuple(refusals))
        self._set(name, replace(host, server=replace(server, ssh=replace(server.ssh, config=config))))

    # -- the way there

    def _place(self, name: str, chain: tuple[str, ...]) -> None:
        """Puts a server behind what ssh would go through. Raises _Loop."""
        if name in chain or len(chain) > _DEEPEST:
            raise _Loop(" → ".join((*chain, name)))
        if name in self._placed:
            return
        host, found = self.hosts[name], self._found.get(name)
        if found is not None and found.jumps and not host.behind:
            sources, before = self._sources(host) or (), None
            for jump in found.jumps:
                before = self._through(jump, sources, before, (*chain, name))
            self._set(name, replace(self.hosts[name], behind=(before,) if before else ()))
        self._placed.add(name)

    def _through(self, jump: Jump, sources: tuple[Source, ...], before: str | None, chain: tuple[str, ...]) -> str:
        """The name of the server that a jump means, which is added when the topology has none."""
        for name in self._aliases.get(jump.host.lower(), ()):
            if self._agrees(name, jump):
                self._place(name, chain)
                if before is None or self.hosts[name].behind == (before,) or not self._found[name].jumps:
                    return name
        key = (jump, sources, before)
        if key not in self._implied:
            self._implied[key] = self._add(jump, sources, before, chain)
        name = self._implied[key]
        self._place(name, chain)
        return name

    def _agrees(self, name: str, jump: Jump) -> bool:
        """Whether a server of the file is logged in to as the jump says."""
        settings = _server(self.hosts[name]).ssh
        user, port = settings.user or self.context.user, settings.port or 22
        return jump.user in (None, user) and jump.port in (None, port) and name in self._found

    def _add(self, jump: Jump, sources: tuple[Source, ...], before: str | None, chain: tuple[str, ...]) -> str:
        name = self._free_name(jump)
        file = next((each.path for each in sources if each.required), None)
        asked = SshSettings(host=jump.host, user=jump.user, port=jump.port, ssh_config=file)
        at = self._found[chain[-1]].proxied_at
        behind = (before,) if before else ()
        server = Server(ssh=replace(asked, place=at.place if at else None))
        place = at.place if at else None
        self._set(name, Host(name=name, kind="server", behind=behind, server=server, implied=True, place=place))
        self._settle(name)
        return name

    def _free_name(self, jump: Jump) -> str:
        taken = self.hosts.keys() | self.topology.networks.keys()
        wishes = (jump.host, str(jump), *(f"{jump}~{number}" for number in range(2, len(taken) + 3)))
        return next(name for name in wishes if name not in taken)


def _server(host: Host) -> Server:
    return host.server or Server()


def _aliases(topology: Topology) -> dict[str, list[str]]:
    """What a jump may call a server of the file: its name, its host, or its Host of ssh_config; in lower case."""
    found: dict[str, list[str]] = {}
    servers = [(name, host.server.ssh) for name, host in sorted(topology.hosts.items()) if host.server]
    for texts in (
        ((name, name) for name, _ in servers),
        ((ssh.config_host, name) for name, ssh in servers),
        ((ssh.host, name) for name, ssh in servers if ssh.config_host is None),
    ):
        for text, name in texts:
            if text is not None and name not in found.setdefault(text.lower(), []):
                found[text.lower()].append(name)
    return found


def _diagnostic(remark: Remark, names: Iterable[str], severity: Any) -> Diagnostic:
    first, *others = names
    more = f", {others[0]}" if len(others) == 1 else f" and {len(others)} more" if others else ""
    return Diagnostic(
        code=remark.code,
        severity=severity,
        message=f"{clean(first, 60)}{more}: {remark.message}",
        place=remark.place,
        suggestion=remark.suggestion,
    )
