"""Dials from a tunnel's exit: with a deadline, a cap on pending ones, and failures that say who dialed what."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from orchestra.diagnostics import Code
from orchestra.engine.fences import plugin_failed
from orchestra.errors import RuntimeFailure
from orchestra.model.plan import Dial
from orchestra.session.errors import DialRefused
from orchestra.session.protocols import Attentive, Receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from orchestra.session.protocols import Session, Stream

R = TypeVar("R", bound=Receiver)

PENDING = 32
"""Dials to one target that may be pending: sshd holds a channel to a silent host for two minutes after we gave up."""


PATIENCE = 1.0
"""Seconds in which a session answers that lives, when a dial over it was not answered."""


class Caps:
    """Counts the pending dials of every target; those beyond the cap wait their turn."""

    def __init__(self, limit: int = PENDING) -> None:
        self._limit = limit
        self._slots: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def slot(self, target: str) -> AsyncIterator[None]:
        """One of the target's places; forgotten with its last user."""
        semaphore, users = self._slots.get(target) or (asyncio.Semaphore(self._limit), 0)
        self._slots[target] = semaphore, users + 1
        try:
            async with semaphore:
                yield
        finally:
            semaphore, users = self._slots.pop(target)
            if users > 1:
                self._slots[target] = semaphore, users - 1


async def dial(session: Session, make: Callable[[], R], where: Dial, deadline: float, caps: Caps) -> tuple[Stream, R]:
    """Dials; raises DialRefused or SessionLost, with the target's name in the message, or PLUGIN_FAILED."""
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(deadline), caps.slot(f"{where.by} {where}"):
            if where.path is not None:
                return await session.create_unix_connection(make, where.path)
            if where.host is None or where.port is None:
                raise DialRefused(Code.DIAL_FAILED, f"{where.by} has no address to dial", host=where.by)
            return await session.create_connection(make, where.host, where.port)
    except TimeoutError:
        message = f"{attempt(where)}: no answer within {deadline:g} seconds"
        if await _is_silent(session, since=begun):
            message += f", and none from {session.host} itself: the session to it may be dead"
        raise DialRefused(Code.CONNECT_TIMEOUT, message, host=where.by) from None
    except DialRefused as error:
        reason = error.message.removeprefix(f"{where.by} dials {where}: ")
        message = error.message if reason == error.message else f"{attempt(where)}: {reason}"
        raise DialRefused(error.code, message, host=error.host, suggestion=error.suggestion) from error
    except RuntimeFailure:
        raise
    except Exception as error:
        raise plugin_failed(f"the session to {session.host}", error, session.host) from error


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
