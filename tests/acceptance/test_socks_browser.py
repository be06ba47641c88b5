"""A real browser behind `kind: socks`: a page by a name that only the exit knows."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.world import needs_netns, play, world

EXAMPLE = Path(__file__).parents[2] / "topologies" / "socks.yaml"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = "http://wiki.office.example:8080/"

pytestmark = [
    pytest.mark.netns,
    needs_netns,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


async def browse(proxy: str, home: Path) -> str:
    """The page as the browser has it; a browser that resolves a name by itself finds none."""
    assert CHROMIUM
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={home}"),
        *(f"--proxy-server={proxy}", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
        *("--dump-dom", PAGE),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "HOME": str(home)},
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 40)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return out.decode()


def test_a_browser_reads_a_page_by_a_name_of_the_exit(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, "netns") as up:
            await up.until_ready()
            host, port = up.entrance("browse")
            page = await browse(f"socks5://{host}:{port}", tmp_path)
            assert "wiki on wiki" in page, page[:2000]
            assert up.tunnel("browse").accepted > 0

    play(scene())
