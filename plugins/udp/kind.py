"""The kind: binds at the entry, joins what arrives to the exit, whichever of them is this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.address import WILDCARD, Endpoint, is_loopback
from orchestra.model.plan import Bind
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import BindRefused, Peer, Receiver, Session, Unsupported

from .bridge import Bridge, Bridges
from .flows import IDLE, FlowTable
from .joint import Exchange, Joint
from .messages import ByTcp
from .station import Flow, Listening, Nobody, Party, Treatment
from .wire import Policy
from .words import UDP

ATTEMPTS = 8
"""Ports that are tried until one is free in every family."""
PERHAPS_IN_USE = (Code.LISTEN_IN_USE, Code.FORWARD_REFUSED)
"""SSH carries no reason for a listener that a server refuses (RFC 4254 section 7.1)."""
EVERY = ("0.0.0.0", "::")  # noqa: S104 - what ``*`` stands for
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
"""Seconds between attempts to bind what was lost with its helper."""
IDLES = {"dns": 30.0}
AGES = {"plain": 0.25, "dns": 0.25, "realtime": 0.1, "bulk": 2.0}
QUEUES = {"bulk": 1024 * 1024}
QUEUE = 256 * 1024


async def bind(context: TunnelContext, session: Session, port: int) -> UdpEntrance:
    """See :class:`~orchestra.plugin.interfaces.Binding`."""
    entrance = UdpEntrance(context, session)
    try:
        await entrance.open(port)
    except BaseException:
        entrance.close()
        raise
    return entrance


async def prove(context: TunnelContext) -> None:
    """What can be proven without knowing what the target speaks: see :class:`~.words.UdpCheck`."""
    if UDP.by_tcp(context.tunnel.spec.options) == "only":
        flow = await ByTcp(context).open(Nobody())
        return flow.close()
    allowed = bool(context.tunnel.spec.options.get("allow_degraded"))
    bridge = await context.shared(Bridges).open(await context.exit(), degraded=allowed)
    return bridge.close()


class UdpEntrance:
    """An open listener: see :class:`~orchestra.plugin.interfaces.Entrance`."""

    def __init__(self, context: TunnelContext, session: Session) -> None:
        options = context.tunnel.spec.options
        self._context, self._session, self._treatment = context, session, treatment_of(options)
        self._by_tcp = UDP.by_tcp(options)
        self._exits = ByTcp(context) if self._by_tcp == "only" else Exits(context, self._treatment)
        self._joint = Joint(context, self._exits, table_of(options), self._lost)
        self._bridge: Bridge | None = None
        self._bound = ExitStack()
        self._reopening: asyncio.Task[None] | None = None
        self.addresses: tuple[str, ...] = ()
        self.port = 0
        self.notes: tuple[str, ...] = ()

    async def open(self, port: int) -> None:
        """Binds everything that is planned, on one port; as :func:`orchestra.engine.listening.listen` does."""
        planned = self._context.tunnel.listen
        assert planned is not None  # noqa: S101 - it is bound
        self._bridge = await self._context.shared(Bridges).open(self._session)
        free = all(bind.port == 0 for bind in planned.binds)
        several = len(planned.binds) > 1 or self._by_tcp != "no"
        *candidates, last = [port] * bool(free and port) + [0] * (ATTEMPTS if free and several else 1)
        for candidate in candidates:
            try:
                return await self._bind_at(self._bridge, planned.binds, candidate, again=True)
            except BindRefused as refusal:
                if refusal.code not in PERHAPS_IN_USE:
                    raise
        return await self._bind_at(self._bridge, planned.binds, last, again=False)

    def close(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
        self._joint.close()
        self._unbind()
        self._exits.close()

    def _unbind(self) -> None:
        self._bound.close()
        if self._bridge is not None:
            self._bridge.close()
            self._bridge = None

    def _lost(self) -> None:
        """The helper that listens is gone."""
        if self._reopening is None and self._session.state == "open":
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        """Binds the same port again; with the session that it was on the engine opens another entrance."""
        pause = FIRST_PAUSE
        while self._session.state == "open":
            self._unbind()
            try:
                await self.open(self.port)
            except RuntimeFailure as error:
                self._context.failed(Peer(host=None, port=None, text=f"the listener at {self._session.host}"), error)
                await asyncio.sleep(pause)
                pause = min(LAST_PAUSE, pause * 2)
            else:
                break
        self._reopening = None

    async def _bind_at(self, bridge: Bridge, binds: tuple[Bind, ...], port: int, *, again: bool) -> None:
        """All of them at one port; ``again``: another is tried when this one is taken."""
        bound: list[tuple[Bind, Listening]] = []
        missing: list[tuple[Bind, BindRefused]] = []
        sockets: list[tuple[str, int]] = []
        with ExitStack() as opened:
            for bind in binds:
                for host in EVERY if bind.host == WILDCARD else (bind.host,):
                    try:
                        listening = await bridge.listen(self._joint, host, bind.port or port, self._treatment)
                    except BindRefused as refusal:
                        if refusal.code is not Code.LISTEN_FAILED or not (is_loopback(host) or host in EVERY):
                            raise
                        missing.append((bind, refusal))
                        continue
                    opened.callback(listening.close)
                    bound.append((bind, listening))
                    sockets.append((host, listening.port))
                    port = port or listening.port
            if not bound:
                raise missing[0][1]
            without = [await self._also_by_tcp(opened, *each, again=again) for each in sockets]
            self._bound = opened.pop_all()
        self.port = bound[0][1].port
        used = dict.fromkeys(replace(bind, port=listening.port) for bind, listening in bound)
        self.addresses = tuple(map(str, used))
        here, gone = self._session.host, sorted({bind.host for bind, _ in missing if is_loopback(bind.host)})
        alone = (f"{Code.LOOPBACK_MISSING}: {here} has no {host}, so the other is used alone" for host in gone)
        self.notes = (*alone, *filter(None, without))

    async def _also_by_tcp(self, opened: ExitStack, host: str, port: int, *, again: bool) -> str | None:
        """The same port by TCP, for what is asked again; else why not, which is no reason to take no datagrams."""
        if self._by_tcp == "no":
            return None
        try:
            listener = await self._session.create_server(self._accept, host, port)
            if widened := getattr(listener, "widened", None):
                listener.close()
                message = f"{self._session.host} would listen by TCP on more than {Endpoint(host, port)}: {widened}"
                raise BindRefused(Code.LISTEN_FAILED, message, host=self._session.host)
        except (BindRefused, Unsupported) as refusal:
            if again and refusal.code in PERHAPS_IN_USE:
                raise
            return f"{refusal.code}: nobody can ask it by TCP: {refusal.message}"
        opened.callback(listener.close)
        return None

    async def _accept(self, peer: Peer) -> Receiver:
        """One who asks by TCP."""
        try:
            receiver = await self._context.relay()
        except RuntimeFailure as error:
            raise self._context.failed(peer, error) from error
        self._context.tally("by_tcp")
        return receiver


class Exits:
    """The far sides of a tunnel's exchanges: see :class:`~.joint.Opens`."""

    def __init__(self, context: TunnelContext, treatment: Treatment) -> None:
        self._context, self._treatment = context, treatment
        self._bridges: dict[Session, Bridge] = {}
        self._opening = asyncio.Lock()

    async def open(self, party: Party) -> Flow:
        """Over the path that there is now, to what its exit dials: the same text means another host to another exit."""
        session = await self._context.exit()
        bridge, tunnel = await self._bridge_at(session), self._context.tunnel
        for dial in (tunnel.dial, *(each.dial for each in tunnel.alternatives)):
            if dial is not None and dial.by == session.host and dial.host is not None and dial.port is not None:
                return bridge.flow(party, dial.host, dial.port, self._treatment)
        # another plan came meanwhile; whoever still sends begins another flow, by that one
        raise RuntimeFailure(Code.DIAL_FAILED, f"{session.host} dials nothing for {tunnel.name} any more")

    async def bridge(self) -> Bridge:
        """At the exit that there is now. Raises RuntimeFailure."""
        return await self._bridge_at(await self._context.exit())

    async def _bridge_at(self, session: Session) -> Bridge:
        async with self._opening:
            bridge = self._bridges.get(session)
            if bridge is None or bridge.is_over:
                self._forget()
                allowed = bool(self._context.tunnel.spec.options.get("allow_degraded"))
                shared = self._context.shared(Bridges)
                bridge = self._bridges[session] = await shared.open(session, degraded=allowed)
                if bridge.is_degraded:
                    self._context.tally("degraded")
            return bridge

    def _forget(self) -> None:
        for session, bridge in list(self._bridges.items()):
            if bridge.is_over:
                bridge.close()
                del self._bridges[session]

    def close(self) -> None:
        """The helpers are not needed any more, by this tunnel."""
        for bridge in self._bridges.values():
            bridge.close()
        self._bridges.clear()


def treatment_of(options: Mapping[str, Any]) -> Treatment:
    """How the file has the datagrams treated."""
    preset = options.get("preset", "plain")
    age = options.get("age") or AGES[preset]
    room = options.get("queue") or QUEUES.get(preset, QUEUE)
    return Treatment(policy=Policy(age, room, preset == "realtime"), df=bool(options.get("df")))


def table_of(options: Mapping[str, Any]) -> FlowTable[Exchange]:
    """How many exchanges there may be, and how silent."""
    idle = options.get("idle") or IDLES.get(options.get("preset", "plain"), IDLE)
    return FlowTable(options.get("flows", 1024), idle)
