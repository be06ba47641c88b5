"""Dials from a tunnel's exit: with a deadline, a cap on pending ones, and failures that say who dialed what."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.engine.fences import plugin_failed
from orchestra.errors import RuntimeFailure
from orchestra.model.plan import Dial
from orchestra.session.errors import DialRefused
from orchestra.session.protocols import Attentive, Receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable

    from orchestra.session.protocols import Session, Stream

R = TypeVar("R", bound=Receiver)
Ask: TypeAlias = "Callable[[Callable[[], Receiver], str, int, Callable[[Exception | None], None]], Callable[[], None]]"
"""A session's ``begin_connection``: see :class:`~orchestra.session.protocols.Asking`."""

PENDING = 32
"""Dials to one target that may be pending: sshd holds a channel to a silent host for two minutes after we gave up."""


PATIENCE = 1.0
"""Seconds in which a session answers that lives, when a dial over it was not answered."""


class Caps:
    """Counts the pending dials of every target; those beyond the cap wait their turn."""

    def __init__(self, limit: int = PENDING) -> None:
        self._limit = limit
        self._pending: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, OrderedDict[Callable[[], bool], None]] = {}

    def take(self, target: Hashable) -> bool:
        """Takes one of the target's places, if one is free; it is given back by :meth:`give`."""
        pending = self._pending.get(target, 0)
        if pending < self._limit:
            self._pending[target] = pending + 1
        return pending < self._limit

    def give(self, target: Hashable) -> None:
        """To the first who waits and takes it, or back; a target is forgotten with its last place."""
        waiting = self._waiting.get(target)
        while waiting:
            take, _ = waiting.popitem(last=False)
            if take():
                return
        self._pending[target] -= 1
        if not self._pending[target]:
            del self._pending[target]
            self._waiting.pop(target, None)

    def wait(self, target: Hashable, take: Callable[[], bool]) -> None:
        """Has it called when there is a place for it, which it takes unless it says no. None is free now."""
        self._waiting.setdefault(target, OrderedDict())[take] = None

    def leave(self, target: Hashable, take: Callable[[], bool]) -> None:
        """Who waits so, if anybody does, waits no more."""
        if waiting := self._waiting.get(target):
            waiting.pop(take, None)

    @asynccontextmanager
    async def slot(self, target: Hashable) -> AsyncIterator[None]:
        """One of the target's places, when there is one."""
        if not self.take(target):
            await self._given(target)
        try:
            yield
        finally:
            self.give(target)

    async def _given(self, target: Hashable) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take() -> bool:
            if waiting := not waiter.done():
                waiter.set_result(None)
            return waiting

        self.wait(target, take)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self.leave(target, take)
            else:
                self.give(target)
            raise


async def dial(session: Session, make: Callable[[], R], where: Dial, deadline: float, caps: Caps) -> tuple[Stream, R]:
    """Dials; raises DialRefused or SessionLost, with the target's name in the message, or PLUGIN_FAILED."""
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(deadline), caps.slot(_target(where)):
            if where.path is not None:
                return await session.create_unix_connection(make, where.path)
            if where.host is None or where.port is None:
                raise DialRefused(Code.DIAL_FAILED, f"{where.by} has no address to dial", host=where.by)
            return await session.create_connection(make, where.host, where.port)
    except Exception as error:
        failure = await explained(error, session, where, deadline, begun)
        if failure is error:
            raise
        raise failure from error


def begin(
    ask: Ask,
    make: Callable[[], Receiver],
    where: Dial,
    deadline: float,
    caps: Caps,
    done: Callable[[Exception | None], None],
) -> Callable[[], None] | None:
    """Dials as :func:`dial` does, but without anybody who waits; None when it does not. ``done`` is told later that it
    succeeded, or what has to be :func:`explained`. Gives what gives the dial up, after which nothing is told."""
    host, port = where.host, where.port
    if host is None or port is None:
        return None
    return _Pending(lambda told: ask(make, host, port, told), _target(where), deadline, caps, done).give_up


class _Pending:
    """A dial that nobody waits for, from its wait for a place until it is over."""

    def __init__(
        self,
        ask: Callable[[Callable[[Exception | None], None]], Callable[[], None]],
        target: Hashable,
        deadline: float,
        caps: Caps,
        done: Callable[[Exception | None], None],
    ) -> None:
        self._ask, self._target, self._caps, self._done = ask, target, caps, done
        self._placed = self._over = False
        self._withdraw: Callable[[], None] | None = None
        """None as long as the session was not asked."""
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(deadline, self._late)
        if caps.take(target):
            self._start()
        else:
            caps.wait(target, self._start)

    def give_up(self) -> None:
        """Nobody wants it any more."""
        if not self._over:
            if self._withdraw is not None:
                self._withdraw()
            self._leave()

    def _start(self) -> bool:
        self._placed = True
        try:
            self._withdraw = self._ask(self._told)
        except Exception as error:  # noqa: BLE001 - told
            self._told(error)
        return True

    def _told(self, error: Exception | None) -> None:
        if self._withdraw is None:  # it is just being asked: whose turn is next is not to come inside this one's
            self._loop.call_soon(self._end, error)
        else:
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        if not self._over:
            self._leave()
            self._done(error)

    def _late(self) -> None:
        if not self._over:
            self.give_up()
            self._done(TimeoutError())

    def _leave(self) -> None:
        self._over = True
        self._timer.cancel()
        if self._placed:
            self._caps.give(self._target)
        else:
            self._caps.leave(self._target, self._start)


async def explained(error: Exception, session: Session, where: Dial, deadline: float, begun: float) -> RuntimeFailure:
    """Why a dial failed that had so many seconds from ``begun`` on, in words for people."""
    if isinstance(error, TimeoutError):
        message = f"{attempt(where)}: no answer within {deadline:g} seconds"
        if await _is_silent(session, since=begun):
            message += f", and none from {session.host} itself: the session to it may be dead"
        return DialRefused(Code.CONNECT_TIMEOUT, message, host=where.by)
    if isinstance(error, DialRefused):
        reason = error.message.removeprefix(f"{where.by} dials {where}: ")
        message = error.message if reason == error.message else f"{attempt(where)}: {reason}"
        return DialRefused(error.code, message, host=error.host, suggestion=error.suggestion)
    if isinstance(error, RuntimeFailure):
        return error
    return plugin_failed(f"the session to {session.host}", error, session.host)


async def _is_silent(session: Session, *, since: float) -> bool:
    """Whether the place that dialed says nothing either, so that its target is not to be blamed. A link that is full
    of data answers late, but is heard."""
    if session.is_here or (isinstance(session, Attentive) and session.heard > since):
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            await session.ping()
    except TimeoutError:
        return True
    except Exception:  # noqa: BLE001 - it has just ended, and who keeps it says so; or it is a plugin's
        return False
    return False


def attempt(where: Dial) -> str:
    """``gateway dialed 10.20.0.30:5900 (desk-vnc)``."""
    return f"{where.by} dialed {where}" + (f" ({where.means})" if where.means else "")


def _target(where: Dial) -> Hashable:
    return where.by, where.host, where.port, where.path
