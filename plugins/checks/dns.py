"""``check: dns``: one question and its answer (RFC 1035): over TCP, as every server has to speak it (RFC 7766), or, in
a tunnel of kind udp, by datagrams.
"""

from __future__ import annotations

import asyncio
import secrets
from enum import IntEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from orchestra.model.text import clean
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import NoAnswer

from .conversing import PATIENCE, Conversing, Dialogue
from .fields import Fields


class Type(IntEnum):
    """The types that may be asked for (RFC 1035 section 3.2.2, RFC 3596, RFC 2782)."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33


RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
HEADER = 12
LENGTH = 2
"""Bytes that say how long a message is, over TCP."""
AGAIN = 1.0
"""Seconds until a datagram is sent again."""


def encoded(name: str) -> bytes:
    """A name on the wire (RFC 1035 section 3.1). Raises ValueError."""
    labels = [label.encode("idna") if not label.isascii() else label.encode() for label in name.split(".") if label]
    if any(len(label) > 63 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise ValueError(f"{clean(name, 60)!r} is too long for a name of DNS")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _name(text: str) -> str:
    encoded(text)
    return text


class Question(Fields):
    """What is asked."""

    name: Annotated[
        str | None,
        Field(description="A name that has to have an answer; default: any well-formed answer will do."),
        AfterValidator(lambda text: _name(text) if text else text),
    ] = None
    record: Annotated[
        Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"],
        Field(description="What is asked of it: the type of a record."),
    ] = "A"


def query(number: int, name: str, type_: int) -> bytes:
    """A standard query that wants recursion, with the length that it has over TCP (RFC 7766 section 8)."""
    message = b"%b\x01\0\0\x01\0\0\0\0\0\0%b%b\0\x01" % (number.to_bytes(2), encoded(name), type_.to_bytes(2))
    return len(message).to_bytes(2) + message


def judge(answer: bytes, number: int, name: str | None) -> str | None:
    """What is wrong with a message as an answer, or None. ``name``: the one that has to be there."""
    if len(answer) < HEADER or answer[:2] != number.to_bytes(2) or not answer[2] & 0x80:
        return f"this is no answer of DNS: {clean(answer, 60)!r}"
    code = answer[3] & 0x0F
    if name is None:
        return None
    if code:
        return f"it answered {RCODES[code] if code < len(RCODES) else f'RCODE {code}'} for {name}"
    return None if any(answer[6:8]) else f"it knows {name}, but has no such record of it"


def asked(wanted: Question) -> tuple[int, bytes]:
    """A question and its number; for the root where the file asks for no name."""
    number = secrets.randbelow(1 << 16)
    return number, query(number, wanted.name or "", Type[wanted.record] if wanted.name else Type.NS)


class Dns(Dialogue[Question]):
    """One question over TCP."""

    async def hold(self) -> bytes:
        talk, wanted = self.talk, self.wanted
        number, question = asked(wanted)
        talk.say(question)
        size = int.from_bytes(await talk.exactly(2, "its answer"))
        answer = await talk.exactly(min(size, HEADER), "its answer")
        if (problem := judge(answer, number, wanted.name)) is not None:
            raise NoAnswer(problem)
        return b""


class DnsCheck(Conversing[Question]):
    """The same of either protocol."""

    def __init__(self) -> None:
        super().__init__("dns", Dns, Question, kinds=("tcp", "udp"))

    async def run(self, context: TunnelContext) -> None:
        """Asks, again and again where datagrams may get lost."""
        if context.tunnel.protocol != "udp":
            return await super().run(context)
        wanted = self.wanted(context)
        number, question = asked(wanted)
        patience = context.tunnel.spec.check.timeout or PATIENCE
        try:
            async with asyncio.timeout(patience):
                answer = await _answer(context, question[LENGTH:])
        except TimeoutError:
            raise self.failed(context, f"its answer did not come within {patience:g} seconds") from None
        if (problem := judge(answer, number, wanted.name)) is not None:
            raise self.failed(context, problem)
        return None


class _Asking:
    """Who hears of a flow: the first answer is enough."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def received(self, data: bytes, /) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def noted(self, cause: str, count: int, /) -> None:
        """It is asked again."""

    def ended(self, why: str, /) -> None:
        """Its deadline comes."""


async def _answer(context: TunnelContext, question: bytes) -> bytes:
    from ..udp.interface import Bridges

    dial, asking = context.tunnel.dial, _Asking()
    if dial is None or dial.host is None or dial.port is None:
        raise NoAnswer("it has no address")
    bridge = await context.shared(Bridges).open(await context.exit())
    try:
        flow = bridge.flow(asking, dial.host, dial.port)
        while not asking.answer.done():
            flow.send(question)
            await asyncio.wait({asking.answer}, timeout=AGAIN)
        flow.close()
        return await asking.answer
    finally:
        bridge.close()
