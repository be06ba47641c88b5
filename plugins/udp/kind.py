"""The kind: binds at the entry, joins what arrives to the exit, whichever of them is this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from orchestra.diagnostics import Code
from orchestra.model.address import WILDCARD, is_loopback
from orchestra.model.plan import Bind
from orchestra.plugin.interfaces import TunnelContext
from orchestra.plugin.vocabulary import CheckSpec, KindSpec
from orchestra.session import BindRefused, Session

from .bridge import Bridge, open_bridge
from .fields import Fields
from .flows import IDLE, FlowTable
from .joint import Conversation, Joint
from .station import Flow, Listening, Party, Treatment
from .wire import Policy

ATTEMPTS = 8
"""Ports that are tried until one is free in every family."""
EVERY = ("0.0.0.0", "::")  # noqa: S104 - what ``*`` stands for
IDLES = {"dns": 30.0}
AGES = {"plain": 0.25, "dns": 0.25, "realtime": 0.1, "bulk": 2.0}
QUEUES = {"bulk": 1024 * 1024}
QUEUE = 256 * 1024


class UdpKind:
    """Datagrams, each whole or not at all, by a flow of its own for each peer."""

    spec = KindSpec(
        name="udp",
        exit="optional",
        protocols=("udp",),
        exec=True,
        datagrams=True,
        fields=Fields,
        package="orchestra-tunnels",
    )

    async def bind(self, context: TunnelContext, session: Session, port: int) -> UdpEntrance:
        """See :class:`~orchestra.plugin.interfaces.Binding`."""
        options = context.tunnel.spec.options
        exits = _Exits(context, treatment_of(options))
        entrance = UdpEntrance(exits)
        joint = Joint(context, exits, table_of(options), entrance.lost)
        bridge = await open_bridge(session)
        entrance.opened(bridge, joint)
        try:
            await entrance.bind(context, session, port, treatment_of(options))
        except BaseException:
            entrance.close()
            raise
        return entrance


class UdpCheck:
    """Proves what can be proven of UDP without knowing what the target speaks: that its helper runs at the exit."""

    spec = CheckSpec(name="udp", kinds=("udp",), package="orchestra-tunnels")

    async def run(self, context: TunnelContext) -> None:
        """See :class:`~orchestra.plugin.interfaces.Check`."""
        bridge = await open_bridge(await context.exit())
        bridge.close()


class UdpEntrance:
    """An open listener: see :class:`~orchestra.plugin.interfaces.Entrance`."""

    def __init__(self, exits: _Exits) -> None:
        self._exits = exits
        self._closing = ExitStack()
        self.addresses: tuple[str, ...] = ()
        self.port = 0
        self.notes: tuple[str, ...] = ()

    def opened(self, bridge: Bridge, joint: Joint) -> None:
        """What it is made of."""
        self._bridge, self._joint = bridge, joint
        self._closing.callback(bridge.close)
        self._closing.callback(self._exits.close)
        self._closing.callback(joint.close)

    def close(self) -> None:
        self._closing.close()

    def lost(self, why: str) -> None:
        """The helper that listens is gone."""

    async def bind(self, context: TunnelContext, session: Session, port: int, treatment: Treatment) -> None:
        """Everything that is planned, on one port; see :func:`orchestra.engine.listening.listen`."""
        planned = context.tunnel.listen
        assert planned is not None  # noqa: S101 - it is bound
        free = all(bind.port == 0 for bind in planned.binds)
        candidates = [port] * bool(free and port) + [0] * (ATTEMPTS if free and len(planned.binds) > 1 else 1)
        for left, candidate in enumerate(candidates, 1 - len(candidates)):
            try:
                await self._bind_at(session, planned.binds, candidate, treatment)
            except BindRefused as refusal:
                if refusal.code is not Code.LISTEN_IN_USE or left == 0:
                    raise
            else:
                return

    async def _bind_at(self, session: Session, binds: tuple[Bind, ...], port: int, treatment: Treatment) -> None:
        bound: list[tuple[Bind, Listening]] = []
        missing: list[tuple[Bind, BindRefused]] = []
        with ExitStack() as opened:
            for bind in binds:
                for host in EVERY if bind.host == WILDCARD else (bind.host,):
                    try:
                        listening = await self._bridge.listen(self._joint, host, bind.port or port, treatment)
                    except BindRefused as refusal:
                        if refusal.code is not Code.LISTEN_FAILED or not (is_loopback(host) or host in EVERY):
                            raise
                        missing.append((bind, refusal))
                        continue
                    opened.callback(listening.close)
                    bound.append((bind, listening))
                    port = port or listening.port
            if not bound:
                raise missing[0][1]
            self._closing.push(opened.pop_all())
        self.port = bound[0][1].port
        used = dict.fromkeys(replace(bind, port=listening.port) for bind, listening in bound)
        self.addresses = tuple(map(str, used))
        gone = sorted({bind.host for bind, _ in missing if is_loopback(bind.host)})
        self.notes = tuple(
            f"{Code.LOOPBACK_MISSING}: {session.host} has no {host}, so the other is used alone" for host in gone
        )


class _Exits:
    """The far sides of a tunnel's conversations: see :class:`~.joint.Exits`."""

    def __init__(self, context: TunnelContext, treatment: Treatment) -> None:
        self._context, self._treatment = context, treatment
        self._bridges: dict[Session, Bridge] = {}
        self._opening = asyncio.Lock()

    async def open(self, party: Party) -> Flow:
        """Over the path that there is now."""
        dial = self._context.tunnel.dial
        assert dial is not None and dial.host is not None and dial.port is not None  # noqa: S101, PT018 - its kind has a target
        bridge = await self._bridge(await self._context.exit())
        return bridge.flow(party, dial.host, dial.port, self._treatment)

    async def _bridge(self, session: Session) -> Bridge:
        async with self._opening:
            bridge = self._bridges.get(session)
            if bridge is None or bridge.is_over:
                self._forget()
                bridge = self._bridges[session] = await open_bridge(session)
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


def table_of(options: Mapping[str, Any]) -> FlowTable[Conversation]:
    """How many conversations there may be, and how silent."""
    idle = options.get("idle") or IDLES.get(options.get("preset", "plain"), IDLE)
    return FlowTable(options.get("flows", 1024), idle)
