"""`kind: socks` against real clients (curl, nc), through the embedded lab and through OpenSSH in namespaces."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from orchestra.model.events import ConnectionFailed
from orchestra.testing import Collector
from tests.acceptance.world import LABS, World, play, world

EXAMPLE = Path(__file__).parents[2] / "topologies" / "socks.yaml"
SOCKS = ("--socks4", "--socks4a", "--socks5", "--socks5-hostname")
WIKI = "wiki on wiki"

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("curl", "nc"))), reason="curl and nc are not installed")


async def ran(*argv: str, send: bytes = b"") -> tuple[int, str]:
    """Its exit code, and what it said on both streams."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    out, _ = await asyncio.wait_for(process.communicate(send), 20)
    return process.returncode or 0, out.decode("utf-8", "replace")


async def curl(*options: str) -> tuple[int, str]:
    return await ran("curl", "-q", "-sS", "--noproxy", "", "--max-time", "15", *options)


def entrance(up: World, name: str = "browse", index: int = 0) -> str:
    return up.tunnel(name).listen[index]


def told(up: World) -> list[tuple[str, str]]:
    return [(event.code, event.message) for event in up.log.events if isinstance(event, ConnectionFailed)]


@pytest.mark.parametrize("kind", LABS)
def test_what_is_allowed_is_served_to_every_kind_of_client(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            proxy, named, literal = entrance(up), "http://wiki.office.example:8080/", "http://10.20.0.30:8080/"
            for option in SOCKS:
                by_name = option in {"--socks4a", "--socks5-hostname"}
                assert (await curl(option, proxy, named if by_name else literal)) == (0, await page(up)), option
            for at in (0, 1):  # both loopbacks
                code, out = await curl("-x", f"http://{entrance(up, index=at)}", "--proxytunnel", named)
                assert (code, WIKI in out) == (0, True)
            host, port = up.entrance("browse")
            for version in ("4", "5", "connect"):
                request = b"GET / HTTP/1.0\r\n\r\n"
                nc = ("nc", "-N", "-X", version, "-x", f"{host}:{port}", "10.20.0.30", "8080")
                code, out = await ran(*nc, send=request)
                assert (code, WIKI in out) == (0, True), (version, out)
            assert told(up) == []
            assert up.tunnel("browse").bytes_in > 100

    play(scene())


async def page(up: World) -> str:
    """What the target says to who stands beside it."""
    stream, reader = await up.lab.place("gateway").create_connection(Collector, "10.20.0.30", 8080)
    await reader.send(b"GET / HTTP/1.1\r\nHost: wiki\r\nConnection: close\r\n\r\n")
    await reader.eof.wait()
    stream.close()
    return bytes(reader.data).partition(b"\r\n\r\n")[2].decode()


REFUSALS = [
    # not allowed: a name for an address, an address for a name, a port, another host
    ("--socks5-hostname", "http://10.20.0.40:8200/", "(2)", "NOT_ALLOWED"),
    ("--socks5-hostname", "http://wiki:8080/", "(2)", "NOT_ALLOWED"),
    ("--socks5", "http://10.20.0.30:80/", "(2)", "NOT_ALLOWED"),
    ("--socks4", "http://10.20.0.30:80/", "(91)", "NOT_ALLOWED"),
    ("http", "http://10.20.0.30:80/", "response 403", "NOT_ALLOWED"),
    # allowed, and not there
    ("--socks5", "http://10.20.0.30:8081/", "(5)", "CONNECT_REFUSED"),
    ("--socks4", "http://10.20.0.30:8081/", "(91)", "CONNECT_REFUSED"),
    ("http", "http://10.20.0.30:8081/", "response 502", "CONNECT_REFUSED"),
    ("--socks5-hostname", "http://nobody.office.example:8080/", "(4)", "NAME_UNRESOLVED"),
    ("http", "http://nobody.office.example:8080/", "response 502", "NAME_UNRESOLVED"),
]


@pytest.mark.parametrize("kind", LABS)
def test_what_is_refused_is_told_to_the_client_and_to_the_observers(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            for option, url, said, code in REFUSALS:
                proxy = (
                    ("-x", f"http://{entrance(up)}", "--proxytunnel") if option == "http" else (option, entrance(up))
                )
                status, out = await curl(*proxy, url)
                assert (status != 0, said in out) == (True, True), (option, url, out)
                assert told(up)[-1][0] == code, (option, url, told(up)[-1])

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_remote_dynamic_enters_at_the_server_and_dials_from_here(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            gateway = up.lab.place("gateway")
            stream, user = await gateway.create_connection(Collector, *up.entrance("callback"))
            request = b"GET / HTTP/1.0\r\n\r\n"
            await user.send(b"\5\1\0" + b"\5\1\0\1" + bytes((127, 0, 0, 1)) + (3000).to_bytes(2) + request)
            await asyncio.wait_for(user.eof.wait(), 10)
            assert bytes(user.data).startswith(b"\5\0" + b"\5\0\0\1" + bytes(6) + b"HTTP/1.")
            assert b"dev-web on laptop" in user.data
            stream.close()

    play(scene())
