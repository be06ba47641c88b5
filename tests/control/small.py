"""Handlers that do what a test says, behind a real socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar

from orchestra.control.client import Client
from orchestra.control.handlers import Document, Readiness
from orchestra.control.paths import Place
from orchestra.control.server import serving
from orchestra.model.events import Closed, Occurrence, OverallChanged
from orchestra.model.status import Status

T = TypeVar("T")


class Small:
    """Handlers that do what the test says."""

    def __init__(self) -> None:
        self.readiness: asyncio.Future[Readiness] = asyncio.get_running_loop().create_future()
        self.asked = asyncio.Event()
        self.stopped = asyncio.Event()

    def status(self) -> Status:
        return Status(topology="office", name="office", pid=os.getpid(), version="0", file="f", state="starting")

    def variables(self) -> Mapping[str, str]:
        return {"ORCHESTRA_DESK_PORT": "5920"}

    def log(self) -> str:
        return "it starts\n"

    def invitation(self) -> str | None:
        return "http://127.0.0.1:1/#ticket"

    async def picture(self) -> str | None:
        return '<svg xmlns="http://www.w3.org/2000/svg"/>'

    def stop(self) -> None:
        self.stopped.set()

    def leave(self, drain: float | None) -> None:
        self.drain = drain
        self.stopped.set()

    def reconnect(self, subject: str | None) -> Document:
        return {"sessions": ["edge"], "refused": None if subject != "nobody" else "there is no nobody"}

    async def reload(self, request: Document) -> Document:
        return {"code": 0, "request": dict(request)}

    async def wait_ready(self) -> Readiness:
        self.asked.set()
        return await asyncio.shield(self.readiness)

    async def wait_closed(self) -> None:
        await self.stopped.wait()

    async def events(self) -> AsyncIterator[Occurrence]:
        yield Occurrence(time=1.0, event=OverallChanged(state="starting"), snapshot=True)
        await self.stopped.wait()
        yield Occurrence(time=2.0, event=Closed())


def ask(place: Place, question: Callable[[Client, Small], T], act: Callable[[Small], object] = lambda _: None) -> T:
    """The answer to a question that is asked in another thread while the server runs; ``act`` comes meanwhile."""

    async def serve() -> T:
        handlers = Small()
        async with serving(handlers, place.socket):
            asked = asyncio.get_running_loop().run_in_executor(None, question, Client(place), handlers)
            act(handlers)
            return await asyncio.wait_for(asked, 10)

    return asyncio.run(serve())
