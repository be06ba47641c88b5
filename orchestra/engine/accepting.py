"""What becomes of connections that were accepted: they are joined to the target, or a plugin's kind serves them itself,
fenced, so that what it does wrong ends that connection only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.usage import Use
    from orchestra.plugin.interfaces import TunnelContext
    from orchestra.session.protocols import Peer, Receiver, Stream

P = ParamSpec("P")
T = TypeVar("T")


class Joining:
    """Joins everybody to the target. Known to the engine, which does so without waiting where it can."""

    def __init__(self, context: TunnelContext) -> None:
        self._context = context

    async def __call__(self, peer: Peer) -> Receiver:  # noqa: ARG002 - anyone who can connect is served
        return await self._context.relay()


class Tracked:
    """Hands everything to the kind's receiver, and is in ``live``, and uses what it uses, as long as the stream is."""

    def __init__(
        self, receiver: Receiver, live: set[Tracked], failed: Callable[[Exception], object], use: Use | None = None
    ) -> None:
        self._receiver, self._live, self._failed, self._use = receiver, live, failed, use
        self._stream: Stream | None = None

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._live.add(self)
        if self._use is not None:
            self._use.begin()
        self._safely(self._receiver.connection_made, stream)

    def data_received(self, data: bytes, /) -> None:
        self._safely(self._receiver.data_received, data)

    def eof_received(self) -> bool | None:
        return self._safely(self._receiver.eof_received)

    def pause_writing(self) -> None:
        self._safely(self._receiver.pause_writing)

    def resume_writing(self) -> None:
        self._safely(self._receiver.resume_writing)

    def connection_lost(self, exc: Exception | None, /) -> None:
        self._live.discard(self)
        if self._use is not None:
            self._use.end()
        self._stream = None
        self._safely(self._receiver.connection_lost, exc)

    def abort(self) -> None:
        """Ends it at once."""
        if self._stream is not None:
            self._stream.abort()

    def _safely(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a plugin's
            self._failed(error)
            self.abort()
            return None
