"""Speaking with the far end of a stream in turns: what a health check does with a service.

A :class:`Conversation` is the receiver of a dialed stream. It keeps what it hears until it is asked for, at most some
kilobytes (its reading is paused meanwhile), and sets no deadline: its caller does, and ``awaited`` then says what for.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, cast

from orchestra.errors import RuntimeFailure
from orchestra.model.text import clean

if TYPE_CHECKING:
    from orchestra.session.protocols import Stream

LONGEST = 8192
"""Bytes of one answer; and a stream whose answers nobody asks for is paused soon after."""
PIECE = 4096


class NoAnswer(Exception):
    """The far end did not answer as it was asked to; the message says what it did instead, cleaned: "it hung up"."""


class Conversation:
    """Asks and hears, in clear text or, after :meth:`start_tls`, under TLS.

    What is asked for has a name that says what it is ("its greeting"): ``awaited``, for whoever gives up.
    """

    def __init__(self) -> None:
        self.awaited = "the connection"
        self._heard = bytearray()
        self._reader = asyncio.StreamReader(LONGEST)
        self._stream: Stream | None = None
        self._lost: Exception | None = None
        self._tls: _Tls | None = None

    # What the stream tells.

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._reader.set_transport(cast("asyncio.Transport", stream))  # it pauses and resumes; a Stream does both

    def data_received(self, data: bytes, /) -> None:
        self._reader.feed_data(data)

    def eof_received(self) -> bool | None:
        self._reader.feed_eof()
        return True

    def pause_writing(self) -> None:
        """What is asked is short."""

    def resume_writing(self) -> None:
        """What is asked is short."""

    def connection_lost(self, exc: Exception | None, /) -> None:
        self._lost = exc
        self._reader.feed_eof()

    # What is said and heard.

    def say(self, data: bytes) -> None:
        """Sends it."""
        assert self._stream is not None  # noqa: S101 - it is dialed before it is spoken with
        self._stream.write(self._tls.encrypted(data) if self._tls else data)

    async def line(self, what: str) -> bytes:
        """The next line, without its end. Raises NoAnswer, or SessionLost."""
        while (end := self._heard.find(b"\n")) < 0:
            if len(self._heard) >= LONGEST:
                raise NoAnswer(f"{LONGEST} bytes came without the end of a line, beginning {self._beginning}")
            await self._more(what)
        line = bytes(self._heard[:end]).removesuffix(b"\r")
        del self._heard[: end + 1]
        return line

    async def exactly(self, size: int, what: str) -> bytes:
        """The next ``size`` bytes. Raises NoAnswer, or SessionLost."""
        while len(self._heard) < size:
            await self._more(what)
        return self._take(size)

    async def some(self, what: str) -> bytes:
        """Whatever comes next, at least a byte. Raises NoAnswer, or SessionLost."""
        if not self._heard:
            await self._more(what)
        return self._take(len(self._heard))

    async def hung_up(self) -> None:
        """Waits until the far end has hung up; what it says until then, or its first kilobytes, is not heard."""
        heard = 0
        while heard < LONGEST and (piece := await self._reader.read(PIECE)):
            heard += len(piece)

    async def start_tls(self, context: ssl.SSLContext, name: str | None) -> None:
        """Goes on under TLS, as a client; ``name`` is sent (SNI) and, where the context says so, verified."""
        tls, what = _Tls(context, name), "its part of the TLS handshake"
        try:
            while not tls.shake_hands():
                self.say(tls.outgoing())
                tls.feed(self._take(len(self._heard)) or await self._piece(what))
        finally:
            self.say(tls.outgoing())  # also where it tells the far end what is wrong
        self._tls = tls
        self._heard += tls.decrypted(b"")

    def end_tls(self) -> None:
        """Says that nothing more will come (close_notify, RFC 8446 section 6.1)."""
        if self._tls is not None:
            farewell, self._tls = self._tls.farewell(), None
            self.say(farewell)

    @property
    def _beginning(self) -> str:
        return repr(clean(bytes(self._heard), 60))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken

    async def _more(self, what: str) -> None:
        piece = await self._piece(what)
        self._heard += self._tls.decrypted(piece) if self._tls else piece

    async def _piece(self, what: str) -> bytes:
        self.awaited = what
        if piece := await self._reader.read(PIECE):
            return piece
        if isinstance(self._lost, RuntimeFailure):
            raise self._lost
        ended = "the connection broke" if self._lost else "it hung up"
        after = f", after {self._beginning}" if self._heard else ""
        raise NoAnswer(f"{ended} when {what} was due{after}")


class _Tls:
    """A client's end of TLS between two buffers. Its errors are NoAnswer."""

    def __init__(self, context: ssl.SSLContext, name: str | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def shake_hands(self) -> bool:
        """Goes as far as it can; whether that is to the end."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLCertVerificationError as error:
            raise NoAnswer(f"its certificate is not to be trusted: {clean(error.verify_message)}") from error
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise NoAnswer(f"the TLS handshake failed: {_reason(error)}") from error
        return True

    def feed(self, data: bytes) -> None:
        self._incoming.write(data)

    def outgoing(self) -> bytes:
        return self._outgoing.read()

    def decrypted(self, data: bytes) -> bytes:
        self.feed(data)
        plain = bytearray()
        try:
            while piece := self._object.read(PIECE):
                plain += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            if not plain:
                raise NoAnswer(f"TLS failed: {_reason(error)}") from error
        return bytes(plain)

    def encrypted(self, data: bytes) -> bytes:
        self._object.write(data)
        return self.outgoing()

    def farewell(self) -> bytes:
        with contextlib.suppress(ssl.SSLError):
            self._object.unwrap()  # the answer is not waited for
        return self.outgoing()


def _reason(error: Exception) -> str:
    """OpenSSL's words, without its numbers and source lines."""
    return clean(str(getattr(error, "reason", None) or error).replace("_", " ").lower())
