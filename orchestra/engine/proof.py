"""Proves where a listener at a server really listens.

sshd reports success also when it narrows the address (GatewayPorts no) or widens it (yes), see sshd_config(5). So the
listener is dialed from its own server, at loopback and at each declared address. A connection is ours when the channel
that comes back delivers the token that we sent; the target never hears of it.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.diagnostics import Code
from orchestra.model.address import Endpoint, is_loopback, parse_ip
from orchestra.session.errors import BindRefused, DialRefused, SessionError, Unsupported
from orchestra.session.null import NullReceiver
from orchestra.session.protocols import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from orchestra.engine.listening import Bound
    from orchestra.model.plan import ListenProbe, PlannedListen
    from orchestra.session.protocols import Accept, Peer, Receiver, Session, Stream

Finding: TypeAlias = Literal["ours", "closed", "forbidden", "silent"]
Findings: TypeAlias = "dict[ListenProbe, Finding]"

DIAL_DEADLINE = 3.0
"""Seconds; a server that dials itself needs none, so this is for the way to the server."""
CHANNEL_DEADLINE = 3.0
"""Seconds between the dial's success and the arrival of our own channel; it is on its way before the dial returns."""
TOKEN = 16
_NARROWER = "set GatewayPorts to clientspecified there, or write gateway_ports: yes if this exposure is meant"


class Gate:
    """Stands before a listener's accept. While it is shut, connections that may be probes are looked at first.

    A stranger cannot be taken for a probe, for it would have to know the token. One that comes from the server itself
    while the gate is shut is turned away; the listener is not ready yet.
    """

    def __init__(self, accept: Accept, probed: frozenset[str]) -> None:
        self._accept = accept
        self._at_once = accept.at_once if isinstance(accept, Prompt) else _never
        self._probed = probed
        self._shut = bool(probed)
        self._visitors: set[Visitor] = set()
        self._arrival = asyncio.Event()
        self._token: bytes | None = None
        self._seen: asyncio.Future[None] | None = None

    async def __call__(self, peer: Peer) -> Receiver:
        if self._shut and self._may_be_probe(peer):
            return Visitor(self)
        return await self._accept(peer)

    def at_once(self, peer: Callable[[], Peer], /) -> Receiver | None:
        return None if self._shut else self._at_once(peer)

    def open(self) -> None:
        """From now on every connection is a user's."""
        self._shut = False
        for visitor in list(self._visitors):
            visitor.dismiss()

    def _may_be_probe(self, peer: Peer) -> bool:
        address = parse_ip(peer.host or "")
        if address is None or address.is_loopback or peer.host in self._probed:
            return True
        mapped = getattr(address, "ipv4_mapped", None)
        return mapped is not None and (mapped.is_loopback or str(mapped) in self._probed)

    async def recognise(self, stream: Stream) -> bool:
        """Whether the dialed stream ends at this gate. Nothing is sent before a channel has come back."""
        loop = asyncio.get_running_loop()
        self._token, self._seen = secrets.token_bytes(TOKEN), loop.create_future()
        try:
            async with asyncio.timeout(CHANNEL_DEADLINE):
                await self._arrival.wait()
                stream.write(self._token)
                await self._seen
        except TimeoutError:
            return False
        finally:
            self._token = None
            self._arrival.clear()
        return True

    def arrived(self, visitor: Visitor) -> None:
        """A connection that may be a probe."""
        self._visitors.add(visitor)
        self._arrival.set()

    def left(self, visitor: Visitor) -> None:
        """It has ended."""
        self._visitors.discard(visitor)

    def hears(self, data: bytes) -> None:
        """What a visitor said first."""
        if self._seen is not None and not self._seen.done() and data == self._token:
            self._seen.set_result(None)


def _never(_peer: Callable[[], Peer]) -> None:
    """Nobody receives at once."""


class Visitor:
    """A connection that may be a probe: its first bytes decide, and it ends in any case."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._heard = b""
        self._stream: Stream | None = None

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._gate.arrived(self)

    def data_received(self, data: bytes, /) -> None:
        self._heard += bytes(data[:TOKEN])
        if len(self._heard) >= TOKEN:
            self._gate.hears(self._heard[:TOKEN])
            self.dismiss()

    def eof_received(self) -> bool | None:
        return False

    def pause_writing(self) -> None:
        pass

    def resume_writing(self) -> None:
        pass

    def connection_lost(self, exc: Exception | None, /) -> None:  # noqa: ARG002
        self._gate.left(self)

    def dismiss(self) -> None:
        """Ends it."""
        if self._stream is not None and not self._stream.is_closing():
            self._stream.abort()


def gate_for(planned: PlannedListen, accept: Accept) -> Gate:
    """A gate that is shut when there is anything to be proven."""
    return Gate(accept, frozenset(probe.host for probe in planned.probes))


async def verify(
    session: Session, gate: Gate, planned: PlannedListen, bound: Bound, others: Callable[[], Collection[str]] = tuple
) -> tuple[str, ...]:
    """Dials every probe; returns notes. Raises BindRefused with BIND_WIDENED or BIND_NARROWED, or SessionLost.

    ``others``: addresses at which other listeners of ours stand there by now. They are not this one's, and a dial
    would reach the targets of those.
    """
    if session.is_here or planned.unix is not None:
        return ()
    found: dict[ListenProbe, Finding] = {}
    for probe in planned.probes:
        is_other = str(Endpoint(probe.host, bound.port)) in others()
        found[probe] = "closed" if is_other else await _probe(session, gate, probe.host, bound.port)
    for judge in (_require_open, _require_loopback, _require_closed):
        judge(session.host, found, bound.port)
    _require_no_word_of_more(session.host, planned, bound)
    return (*_notes(session.host, found, bound.port), *_beyond_proof(session.host, planned))


async def _probe(session: Session, gate: Gate, host: str, port: int) -> Finding:
    try:
        async with asyncio.timeout(DIAL_DEADLINE):
            stream, _ = await session.create_connection(NullReceiver, host, port)
    except TimeoutError:
        return "silent"
    except (DialRefused, Unsupported) as refusal:
        return _refused(refusal)
    try:
        return "ours" if await gate.recognise(stream) else "closed"
    finally:
        stream.abort()


def _refused(refusal: SessionError) -> Finding:
    if refusal.code in (Code.FORWARD_REFUSED, Code.TRANSPORT_CANNOT):
        return "forbidden"
    return "silent" if refusal.code == Code.CONNECT_TIMEOUT else "closed"


def _require_open(server: str, found: Findings, port: int) -> None:
    """Every address that was asked for. Judged first: narrowed to loopback, it is also found where it should not be."""
    for probe, finding in found.items():
        if (probe.expect, finding) == ("open", "closed") and not is_loopback(probe.host):
            where = _where(probe, port)
            what = f"{server} was to listen on {where}, but does not: its sshd narrows the address (GatewayPorts no)"
            hint = "set GatewayPorts to clientspecified there, or listen on localhost"
            raise BindRefused(Code.BIND_NARROWED, what, host=server, suggestion=hint)


def _require_loopback(server: str, found: Findings, port: int) -> None:
    """Of the loopbacks that must be open one has to be; a server without IPv6 has no ::1."""
    wanted = {probe: f for probe, f in found.items() if probe.expect == "open" and is_loopback(probe.host)}
    if wanted and all(finding == "closed" for finding in wanted.values()):
        where = " and ".join(_where(probe, port) for probe in wanted)
        what = f"{server} was to listen on {where}, but nothing of ours answers there"
        raise BindRefused(Code.BIND_NARROWED, what, host=server)


def _require_closed(server: str, found: Findings, port: int) -> None:
    """No address that was not asked for."""
    for probe, finding in found.items():
        if (probe.expect, finding) == ("closed", "ours"):
            where = _where(probe, port)
            what = f"{server} was not to listen on {where}, but does: its sshd widens the address (GatewayPorts yes)"
            raise BindRefused(Code.BIND_WIDENED, what, host=server, suggestion=_NARROWER)


def _require_no_word_of_more(server: str, planned: PlannedListen, bound: Bound) -> None:
    """OpenSSH says when it listens on more than was asked for; that counts also where nothing can be dialed."""
    said = next((said for listener in bound.listeners if (said := getattr(listener, "widened", None))), None)
    meant = planned.exposed and all(probe.expect != "closed" for probe in planned.probes)
    if said and not meant:
        what = f"{server} was to listen on {', '.join(bound.addresses)} alone, but its sshd widens that: {said}"
        raise BindRefused(Code.BIND_WIDENED, what, host=server, suggestion=_NARROWER)


def _beyond_proof(server: str, planned: PlannedListen) -> Iterator[str]:
    if planned.exposed and all(is_loopback(probe.host) for probe in planned.probes):
        why = f"no address of {server} beyond loopback is declared"
        yield f"{Code.BIND_UNVERIFIED}: {why}, so what others can dial there is taken on trust"


def _notes(server: str, found: Findings, port: int) -> Iterator[str]:
    for probe, finding in found.items():
        where = _where(probe, port)
        if finding == "forbidden":
            yield f"{Code.BIND_UNVERIFIED}: {server} may not dial {where}, so where it listens is taken on trust"
        elif finding == "silent" and probe.expect != "closed":
            yield f"{Code.BIND_UNVERIFIED}: {server} dialed {where} to prove the listener, and nothing answered"
        elif finding == "ours" and probe.expect == "any" and probe.network:
            yield f"{server} listens on {where}, for everyone who can dial it there"


def _where(probe: ListenProbe, port: int) -> str:
    return f"{Endpoint(probe.host, port)}" + (f" on {probe.network}" if probe.network else "")
