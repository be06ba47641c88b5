"""Sessions that are open right now, by id, and waiting for one that is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.model.frozen import dataclass
from orchestra.session.errors import SessionLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra.session.protocols import Session

REMIND = 1.0
"""Seconds after which it is told again that somebody waits for a session."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected of a session that is not open: why it is not, and whether it will be tried again."""

    why: str
    hopeless: bool = False


def unheard(_id: str) -> None:
    """For who needs not know who waits."""


class Places:
    """*here* (id None) is always open. ``outlook`` is asked about sessions that are not; ``awaited`` is told of those
    that somebody waits for, again and again as long as somebody does."""

    def __init__(
        self, here: Session, outlook: Callable[[str], Outlook], awaited: Callable[[str], None] = unheard
    ) -> None:
        self._here = here
        self._outlook, self._awaited = outlook, awaited
        self._open: dict[str, Session] = {}
        self._waiting: dict[tuple[str, ...], set[asyncio.Future[tuple[str, Session]]]] = {}
        self._told: dict[str, float] = {}

    def get(self, id_: str | None) -> Session | None:
        """The session, when it is open."""
        return self._here if id_ is None else self._open.get(id_)

    def put(self, id_: str, session: Session) -> None:
        """It is open; who waits for it goes on."""
        self._open[id_] = session
        for ids in [ids for ids in self._waiting if id_ in ids]:
            for waiter in self._waiting.pop(ids):
                if not waiter.done():
                    waiter.set_result((id_, session))

    def remove(self, id_: str) -> Session | None:
        """It is open no longer."""
        return self._open.pop(id_, None)

    def settle(self) -> None:
        """Who waits for sessions that will not come is told at once."""
        for ids in list(self._waiting):
            if all(self._outlook(id_).hopeless for id_ in ids):
                for waiter in self._waiting.pop(ids):
                    if not waiter.done():
                        waiter.set_exception(self._lost(ids[0]))

    async def wait(self, ids: Sequence[str | None], hold: float) -> tuple[str | None, Session]:
        """The first of these sessions that is open, or, waiting up to ``hold`` seconds, that comes back.

        Raises SessionLost, which is about the first of them.
        """
        for id_ in ids:
            session = self.get(id_)
            if session is not None and session.state == "open":
                return id_, session
        wanted = tuple(id_ for id_ in ids if id_ is not None)
        if not wanted:
            raise SessionLost(Code.SESSION_LOST, f"{self._here.host} is closing", host=self._here.host)
        hopeful = [id_ for id_ in wanted if not self._outlook(id_).hopeless]
        if not hopeful:
            raise self._lost(wanted[0])
        try:
            async with asyncio.timeout(hold):
                return await self._comes(wanted, hopeful[0])
        except TimeoutError:
            raise self._lost(wanted[0], f" and did not come back within {hold:g} seconds") from None

    async def _comes(self, ids: tuple[str, ...], first: str) -> tuple[str, Session]:
        waiter: asyncio.Future[tuple[str, Session]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(ids, set()).add(waiter)
        try:
            while not waiter.done():
                self._tell(first)
                await asyncio.wait((waiter,), timeout=REMIND)
            return waiter.result()
        finally:
            self._forget(ids, waiter)

    def _tell(self, id_: str) -> None:
        """That somebody waits, but not by each who does."""
        now = asyncio.get_running_loop().time()
        if now >= self._told.get(id_, -REMIND) + REMIND:
            self._told[id_] = now
            self._awaited(id_)

    def _forget(self, ids: tuple[str, ...], waiter: asyncio.Future[tuple[str, Session]]) -> None:
        waiter.cancel()
        waiters = self._waiting.get(ids, set())
        waiters.discard(waiter)
        if not waiters:
            self._waiting.pop(ids, None)

    def _lost(self, id_: str, then: str = "") -> SessionLost:
        return SessionLost(Code.SESSION_LOST, f"the session {id_} is down{then}: {self._outlook(id_).why}", host=id_)
