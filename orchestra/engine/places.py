"""Sessions that are open right now, by id, and waiting for one that is not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.session.errors import SessionLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.session.protocols import Session


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected of a session that is not open: why it is not, and whether it will be tried again."""

    why: str
    hopeless: bool = False


class Places:
    """*here* (id None) is always open. ``outlook`` is asked about sessions that are not."""

    def __init__(self, here: Session, outlook: Callable[[str], Outlook]) -> None:
        self._here = here
        self._outlook = outlook
        self._open: dict[str, Session] = {}
        self._waiting: dict[str, set[asyncio.Future[Session]]] = {}

    def get(self, id_: str | None) -> Session | None:
        """The session, when it is open."""
        return self._here if id_ is None else self._open.get(id_)

    def put(self, id_: str, session: Session) -> None:
        """It is open; who waits for it goes on."""
        self._open[id_] = session
        for waiter in self._waiting.pop(id_, ()):
            if not waiter.done():
                waiter.set_result(session)

    def remove(self, id_: str) -> Session | None:
        """It is open no longer."""
        return self._open.pop(id_, None)

    def settle(self) -> None:
        """Who waits for a session that will not come is told at once."""
        for id_ in list(self._waiting):
            outlook = self._outlook(id_)
            if outlook.hopeless:
                for waiter in self._waiting.pop(id_):
                    if not waiter.done():
                        waiter.set_exception(self._lost(id_, outlook))

    async def wait(self, id_: str | None, hold: float) -> Session:
        """The session, waiting up to ``hold`` seconds for its return. Raises SessionLost."""
        session = self.get(id_)
        if session is not None and session.state == "open":
            return session
        if id_ is None:
            raise SessionLost(Code.SESSION_LOST, f"{self._here.host} is closing", host=self._here.host)
        if (outlook := self._outlook(id_)).hopeless:
            raise self._lost(id_, outlook)
        waiter: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id_, set()).add(waiter)
        try:
            async with asyncio.timeout(hold):
                return await waiter
        except TimeoutError:
            raise self._lost(id_, self._outlook(id_), f" and did not come back within {hold:g} seconds") from None
        finally:
            self._forget(id_, waiter)

    def _forget(self, id_: str, waiter: asyncio.Future[Session]) -> None:
        waiter.cancel()
        waiters = self._waiting.get(id_, set())
        waiters.discard(waiter)
        if not waiters:
            self._waiting.pop(id_, None)

    def _lost(self, id_: str, outlook: Outlook, then: str = "") -> SessionLost:
        return SessionLost(Code.SESSION_LOST, f"the session {id_} is down{then}: {outlook.why}", host=id_)
