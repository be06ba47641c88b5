"""The control socket: where it is, who can reach it, and what is loaded for it when."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra.control.client import Client, NotRunning
from orchestra.control.paths import Place
from orchestra.control.server import serving
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from tests.control.small import Small, ask

ROOT = Path(__file__).parents[2]
ASKED = """
import asyncio, sys
from pathlib import Path
from orchestra.control.client import Client
from orchestra.control.paths import Place
from tests.control.small import Small, serving

async def serve():
    place = Place(Path(sys.argv[1]))
    async with serving(Small(), place.socket):
        before = "aiohttp" in sys.modules
        status = await asyncio.to_thread(Client(place).status)
        print(status.name, before, "aiohttp" in sys.modules)

asyncio.run(serve())
"""


def test_leaving_does_not_wait_for_those_who_wait(place: Place) -> None:
    async def serve() -> None:
        handlers = Small()
        async with serving(handlers, place.socket):
            waiting = asyncio.get_running_loop().run_in_executor(None, Client(place).wait_ready, 30)
            await handlers.asked.wait()
        with pytest.raises(NotRunning):
            await waiting

    asyncio.run(asyncio.wait_for(serve(), 10))


def test_a_path_that_cannot_be_bound(tmp_path: Path) -> None:
    async def serve() -> None:
        async with serving(Small(), tmp_path / "missing" / "control.sock"):
            raise AssertionError

    with pytest.raises(RuntimeFailure) as caught:
        asyncio.run(serve())
    assert caught.value.code is Code.STATE_UNWRITABLE


def test_the_socket_is_closed_to_others(place: Place) -> None:
    assert ask(place, lambda *_: stat.S_IMODE(place.socket.stat().st_mode)) == 0o600


def test_what_answers_is_loaded_when_somebody_asks_who_waits_for_that(place: Place) -> None:
    command = [sys.executable, "-c", ASKED, str(place.directory)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.split() == ["office", "False", "True"]
