"""The channels of one connection (RFC 4254), as a master hands it to who shares it. It knows no sockets: packets go
out by ``send``, and what came in is given to :meth:`Connection.receive`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from struct import Struct
from typing import TypeVar

from orchestra.session.protocols import Receiver
from orchestra.session.windows import WindowBudget

from .channel import PACKET, Channel, Refusal
from .wire import Malformed, Message, Packets, Reader, string, uint32

C = TypeVar("C", bound=Channel)

_HEADER = Struct(">IBB")
_ABOUT = Struct(">BBI")


class Connection:
    """Channels that we open; nothing is opened towards us, since the master itself serves its forwards.

    ``refused`` counts the channels that were not opened: a master never forgets one of them.
    """

    def __init__(self, send: Callable[[bytes], None], windows: WindowBudget) -> None:
        self.send, self.windows = send, windows
        self.congested = False
        self.refused = 0
        self.on_idle: Callable[[], None] = lambda: None
        """Told when the last channel has ended."""
        self._packets = Packets()
        self._numbers = count()
        self._known: dict[int, Channel] = {}  # by number, until the server has closed it
        self._alive: set[Channel] = set()  # until its receiver was told of the end

    def __len__(self) -> int:
        return len(self._alive)

    def open(
        self,
        channel_type: type[C],
        make: Callable[[], Receiver],
        answered: Callable[[Refusal | Exception | None], None],
        kind: str,
        fields: bytes = b"",
    ) -> C:
        """Asks the server for a channel of that kind (RFC 4254 sections 5.1, 6.1 and 7.2)."""
        channel = channel_type(self, next(self._numbers), make, answered)
        self._known[channel.number] = channel
        self._alive.add(channel)
        about = uint32(channel.number) + uint32(channel.window) + uint32(PACKET)
        self.send_message(Message.OPEN, string(kind) + about + fields)
        return channel

    def receive(self, data: bytes) -> None:
        """What came in. Raises Malformed, and then nothing more can be understood."""
        for packet in self._packets.feed(data):
            if len(packet) < _ABOUT.size:
                raise Malformed("a packet is too short")
            _, kind, number = _ABOUT.unpack_from(packet)
            if (channel := self._known.get(number)) is not None and kind > Message.OPEN:
                self.refused += kind == Message.OPEN_FAILURE
                channel.received(kind, Reader(memoryview(packet)[_ABOUT.size :]))

    def set_congested(self, congested: bool) -> None:
        """The way to the master is full, or no longer: everybody who writes waits."""
        self.congested = congested
        for channel in list(self._alive):
            channel.flush()

    def finish(self, why: Exception) -> None:
        """Every channel sends what it has, and closes."""
        for channel in list(self._alive):
            channel.finish(why)

    def lost(self, reason: Exception) -> None:
        """Nothing comes any more."""
        self._known.clear()
        for channel in list(self._alive):
            channel.lost(reason)

    # What the channels need.

    def send_message(self, kind: int, fields: bytes) -> None:
        """One packet: its length, no padding, its kind (PROTOCOL.mux section 9)."""
        self.send(_HEADER.pack(2 + len(fields), 0, kind) + fields)

    def forget(self, channel: Channel) -> None:
        """The server knows it no longer."""
        self._known.pop(channel.number, None)

    def ended(self, channel: Channel) -> None:
        """Its receiver is told of the end."""
        self._known.pop(channel.number, None)
        self._alive.discard(channel)
        self.windows.give(channel.window)
        if not self._alive:
            self.on_idle()
