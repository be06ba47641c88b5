"""The end of sessions: in good order while there is time, at once when there is none."""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from orchestra.session.protocols import Session

_log = logging.getLogger(__name__)


async def close_sessions(sessions: Iterable[tuple[int, Session]], until: float) -> None:
    """Closes sessions, given with their depth, the deepest first; what is not closed ``until`` then is aborted."""
    deepest_first = sorted(sessions, key=lambda pair: -pair[0])
    for _, level in groupby(deepest_first, key=lambda pair: pair[0]):
        await _close_level([session for _, session in level], until)


async def _close_level(sessions: list[Session], until: float) -> None:
    ends = [asyncio.ensure_future(end_of(session)) for session in sessions]
    for session in sessions:
        try:
            session.close()
        except Exception:  # noqa: BLE001 - a plugin's session
            abort(session)
    left = until - asyncio.get_running_loop().time()
    _, pending = await asyncio.wait(ends, timeout=max(0.0, left / 2))  # the levels below want some of it too
    for end, session in zip(ends, sessions, strict=True):
        if end in pending:
            abort(session)
            end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)


async def end_of(session: Session) -> Exception | None:
    """Waits for a session's end, and what it was; what a plugin's session raises instead is one too."""
    try:
        return await session.wait_closed()
    except Exception as error:  # noqa: BLE001 - a plugin's session
        return error


def abort(session: Session) -> None:
    """Ends it at once."""
    try:
        session.abort()
    except Exception:  # noqa: BLE001 - a plugin's session
        _log.exception("the session to %s could not be aborted", session.host)


async def finish(work: Coroutine[object, object, None], hurry: Callable[[], None]) -> None:
    """Awaits bounded work to its end, however often the caller is cancelled meanwhile; then it is.

    ``hurry`` is called at each cancellation: it makes the work end soon.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as request:
            cancelled = request
            hurry()
    if cancelled is not None:
        raise cancelled
    task.result()
