"""One client's handshake, fed with bytes as they come. Its first byte says which protocol it speaks."""

from __future__ import annotations

from .http import http
from .request import DatagramRequest, Input, Login, Refused, Request, Steps
from .socks4 import socks4
from .socks5 import socks5


class Handshake:
    """After every :meth:`feed` at most one of ``request`` and ``refused`` is there; then it is over."""

    def __init__(self, login: Login | None = None) -> None:
        self._input = Input()
        self._steps = _negotiate(self._input, login)
        self.request: Request | DatagramRequest | None = None
        self.refused: str | None = None
        """Why nothing comes of it."""

    def feed(self, data: bytes) -> bytes:
        """Takes what has come; returns what is to be sent."""
        self._input.feed(data)
        replies = []
        try:
            while reply := next(self._steps):
                replies.append(reply)
        except StopIteration as done:
            self.request = done.value
        except Refused as refused:
            self.refused = str(refused)
            replies.append(refused.reply)
        return b"".join(replies)

    def rest(self) -> bytes:
        """What came behind the request: the first of what is to be carried."""
        return self._input.rest()


def _negotiate(data: Input, login: Login | None) -> Steps[Request | DatagramRequest]:
    first = yield from data.first()
    if first == 5:
        return (yield from socks5(data, login))
    if first == 4:
        return (yield from socks4(data, login))
    if chr(first).isalpha() and first < 128:
        return (yield from http(data, login))
    raise Refused(f"the client speaks neither SOCKS nor HTTP: its first byte is 0x{first:02x}")
