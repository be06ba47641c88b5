"""What joins ssh to the place that dials for it: a socket that ssh gets as its standard input and output
(``ProxyCommand -``). One of this machine goes to ssh itself; a channel of a session is carried to and from one."""

from __future__ import annotations

import os
import socket
from asyncio.trsock import TransportSocket

from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.protocols import Receiver, Session, Stream
from orchestra.session.sockets import SocketStream


class Joint:
    """One of two receivers: what it hears goes to the other's stream."""

    def __init__(self) -> None:
        self.stream: Stream | None = None
        self.other: Joint | None = None
        self.loss: Exception | None = None
        self.is_lost = False

    def join(self, other: Joint) -> None:
        """From now on everything is carried both ways."""
        self.other, other.other = other, self
        for one in (self, other):
            if one.is_lost:
                one.end_other()
            elif one.stream is not None:
                one.stream.resume_reading()

    def connection_made(self, stream: Stream, /) -> None:
        self.stream = stream
        stream.pause_reading()

    def data_received(self, data: bytes, /) -> None:
        if self.other is not None and self.other.stream is not None:
            self.other.stream.write(data)

    def eof_received(self) -> bool | None:
        if self.other is not None and self.other.stream is not None:
            self.other.stream.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other is not None and self.other.stream is not None and not self.other.is_lost:
            self.other.stream.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.stream is not None and not self.other.is_lost:
            self.other.stream.resume_reading()

    def connection_lost(self, exc: Exception | None, /) -> None:
        self.is_lost, self.loss = True, exc
        self.end_other()

    def end_other(self) -> None:
        """This one has ended: so does the other."""
        if self.other is not None and self.other.stream is not None and not self.other.is_lost:
            self.other.stream.close()

    def abort(self) -> None:
        """Ends it at once."""
        if self.stream is not None:
            self.stream.abort()


class Carrier:
    """The socket for ssh, and what there is of the way to it."""

    def __init__(self, descriptor: int, joint: Joint) -> None:
        self._descriptor, self._joint = descriptor, joint

    @property
    def descriptor(self) -> int:
        """For ssh; ours is closed by :meth:`handed_over`."""
        return self._descriptor

    @property
    def loss(self) -> Exception | None:
        """Why the way to it ended, when a session below is to blame."""
        return self._joint.loss

    def handed_over(self) -> None:
        """ssh has it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def abort(self) -> None:
        """Ends it at once."""
        self.handed_over()
        self._joint.abort()


async def carry(request: OpenRequest, host: str, port: int) -> Carrier:
    """Dials the server from the place before it. Raises what that place raises."""
    below = Joint()
    stream, _ = await _dial(request.over, below, host, port, request.dial.path)
    if request.over.is_here and isinstance(sock := stream.get_extra_info("socket"), TransportSocket):
        descriptor = os.dup(sock.fileno())
        os.set_blocking(descriptor, True)
        stream.close()  # nothing was read from it; ssh's copy lives on
        return Carrier(descriptor, Joint())
    near, far = socket.socketpair()
    near.setblocking(False)
    above = Joint()
    SocketStream(near, above).start()
    above.join(below)
    return Carrier(far.detach(), below)


async def _dial(over: Session, receiver: Receiver, host: str, port: int, path: str | None) -> tuple[Stream, Receiver]:
    if path is not None:
        return await over.create_unix_connection(lambda: receiver, path)
    return await over.create_connection(lambda: receiver, host, port)
