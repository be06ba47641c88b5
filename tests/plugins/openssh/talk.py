"""The other side of a connection, for tests of channels without ssh: what was sent, and what is answered."""

from __future__ import annotations

from orchestra_plugins.openssh.channel import Channel
from orchestra_plugins.openssh.connection import Connection
from orchestra_plugins.openssh.wire import Message, Packets, Reader, string, uint32

from orchestra.session.windows import WindowBudget
from orchestra.testing import Collector

THEIRS = 77
"""The number that the server gives a channel."""


class Server:
    """Says what a server would; ``window`` and ``packet`` are what it lets us send."""

    def __init__(self, *, window: int = 1 << 20, packet: int = 32768) -> None:
        self.sent: list[tuple[Message, Reader]] = []
        self._window, self._packet = window, packet
        self._packets = Packets()
        self.windows = WindowBudget()
        self.connection = Connection(self._hear, self.windows)
        self.answers: list[object] = []

    def open(self, channel_type=Channel, **options) -> tuple[Channel, Collector]:
        """A channel that is open."""
        channel, collector = self.opening(channel_type, **options)
        self.confirm(channel)
        return channel, collector

    def opening(self, channel_type=Channel, kind="direct-tcpip", **options) -> tuple[Channel, Collector]:
        collector = Collector(**options)
        return self.connection.open(channel_type, lambda: collector, self.answers.append, kind), collector

    def confirm(self, channel: Channel) -> None:
        self.say(channel, Message.CONFIRMATION, uint32(THEIRS) + uint32(self._window) + uint32(self._packet))

    def say(self, channel: Channel, kind: Message, fields: bytes = b"") -> None:
        self.connection.receive(string(bytes((0, kind)) + uint32(channel.number) + fields))

    def data(self, channel: Channel, data: bytes) -> None:
        self.say(channel, Message.DATA, string(data))

    def heard(self) -> list[tuple[Message, bytes]]:
        """What was sent since the last time, without the number of the channel."""
        taken, self.sent = self.sent, []
        return [(kind, reader.rest()) for kind, reader in taken]

    def heard_data(self) -> list[bytes]:
        return [Reader(fields).string() for kind, fields in self.heard() if kind == Message.DATA]

    def _hear(self, data: bytes) -> None:
        for packet in self._packets.feed(data):
            reader = Reader(packet[2:])
            if packet[1] != Message.OPEN:
                assert reader.uint32() == THEIRS
            self.sent.append((Message(packet[1]), reader))
