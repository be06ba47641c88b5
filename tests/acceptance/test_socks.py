"""`kind: socks` against real clients (curl, nc), through the embedded lab and through OpenSSH in namespaces."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from orchestra.model.events import ConnectionFailed
from orchestra.model.topology import Topology
from orchestra.testing import Collector
from tests.acceptance.world import LABS, World, play, with_server, world
from tests.plugins.udp.rig import until

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
            proxy, url = f"http://{entrance(up)}", "http://10.20.0.30:8080/"
            status, out = await curl("-x", proxy, url)
            assert "GET is not served, only CONNECT" in out
            assert "curl --proxytunnel" in out
            assert (await curl("-x", proxy, "-p", url)) == (0, await page(up))

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


@pytest.mark.netns
@pytest.mark.parametrize("kind", LABS[1:])
def test_remote_dynamic_with_programs_of_the_server(kind: str, tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            link = up.lab._link  # type: ignore[attr-defined]
            url, done = "http://127.0.0.1:3000/", tmp_path / "done"
            asks = [f"curl -q -sS --noproxy '' -m 10 {option} localhost:1080 {url}" for option in SOCKS]
            asks.append(f"curl -q -sS --noproxy '' -m 10 -p -x http://localhost:1080 {url}")
            asks.append("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -N -X 5 -x 127.0.0.1:1080 127.0.0.1 3000 | tail -n 1")
            script = "; ".join(asks) + f"; touch {done}"
            argv, log = ["sh", "-c", script], tmp_path / "said"
            await link.ask("start", machine="gateway", argv=argv, log=str(log), binds=[])
            await until(done.exists)
            assert log.read_text() == "dev-web on laptop\n" * len(asks), told(up)

    play(scene())


HELLO = b"\5\1\0"
TO_WIKI = b"\5\1\0\1" + bytes((10, 20, 0, 30)) + (8080).to_bytes(2)


def no(code: int) -> bytes:
    return b"\5\0\5" + bytes((code, 0, 1, 0, 0, 0, 0, 0, 0))


MALFORMED = [
    (b"\x16\x03\x01\x02\x00", b""),  # TLS
    (b"\0", b""),
    (b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 400 "),
    (b"GET http://10.20.0.30:8080/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 "),
    (b"CONNECT 10.20.0.30 HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "),
    (b"CONNECT a:1 HTTP/1.1\r\n" + b"x" * 70_000, b"HTTP/1.1 431 "),
    (b"\4\2\x1f\x90\x0a\x14\0\x1e\0", b"\0\x5b" + bytes(6)),  # BIND
    (b"\4\1\x1f\x90\x0a\x14\0\x1e" + b"u" * 70_000, b"\0\x5b" + bytes(6)),
    (b"\4\1\x1f\x90\0\0\0\1u\0" + b"n" * 70_000, b"\0\x5b" + bytes(6)),  # a name that does not end
    (b"\5\0", b"\5\xff"),
    (b"\5\1\1", b"\5\xff"),
    (HELLO + b"\5\2" + TO_WIKI[2:], no(7)),  # BIND
    (HELLO + b"\5\1\0\x09" + TO_WIKI[4:], no(8)),
    (HELLO + b"\4\1\0\1" + TO_WIKI[4:], no(1)),
    (HELLO + b"\5\1\0\3\0\x1f\x90", no(1)),
    (HELLO + TO_WIKI[:-2] + b"\0\0" + b"x" * 70_000, no(1)),
]


async def answer(up: World, sent: bytes) -> bytes:
    """Everything that comes back, up to the end of file: a reset would raise."""
    reader, writer = await asyncio.open_connection(*up.entrance("browse"))
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 15)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("kind", LABS)
def test_malformed_handshakes_end_soon_with_an_answer_and_harm_nobody(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            for sent, begins in MALFORMED:
                got = await answer(up, sent)
                assert (got[: len(begins)], bool(got)) == (begins, bool(begins)), sent[:40]
            assert [code for code, _ in told(up)] == ["PROTOCOL_ERROR"] * len(MALFORMED)
            idle = [await asyncio.open_connection(*up.entrance("browse")) for _ in range(200)]
            for _, writer in idle[100:]:
                writer.write(b"\5")
            pages = await asyncio.gather(*(answer(up, HELLO + TO_WIKI + b"GET / HTTP/1.0\r\n\r\n") for _ in range(200)))
            assert {got.endswith(pages[0][-20:]) and WIKI.encode() in got for got in pages} == {True}
            for _, writer in idle:
                writer.close()
                await writer.wait_closed()
            await up.until(lambda: up.tunnel("browse").state == "ready")

    play(scene())


@pytest.mark.netns
@pytest.mark.parametrize("kind", LABS[1:])
def test_what_sshd_says_of_a_dial_becomes_the_right_code(kind: str, tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace('"*.office.example:*", "10.20.0.30:8000-8999"', '"*:*"')
    (tmp_path / "open.yaml").write_text(text)

    def reality(topology: Topology) -> Topology:
        return with_server(
            topology,
            "gateway",
            forwarding={"permit_open": ("10.20.0.30:8080", "203.0.113.1:1", "a.example:1", "10.20.0.99:1")},
        )

    async def scene() -> None:
        async with world(tmp_path / "open.yaml", kind, reality=reality) as up:
            await up.until_ready()
            assert b"\5\0\5\0" + bytes((0, 1)) in await answer(up, HELLO + TO_WIKI + b"GET / HTTP/1.0\r\n\r\n")
            assert await answer(up, HELLO + b"\5\1\0\1" + bytes((10, 20, 0, 40)) + (8200).to_bytes(2)) == no(2)
            assert await answer(up, HELLO + b"\5\1\0\1" + bytes((10, 20, 0, 99)) + (1).to_bytes(2)) == no(4)
            # sshd says nothing of dials that fail at once
            assert await answer(up, HELLO + b"\5\1\0\1" + bytes((203, 0, 113, 1)) + (1).to_bytes(2)) == no(1)
            assert await answer(up, HELLO + b"\5\1\0\3\x09a.example" + (1).to_bytes(2)) == no(4)
            assert [code for code, _ in told(up)] == [
                "FORWARD_REFUSED",
                "DIAL_FAILED",
                "DIAL_FAILED",
                "NAME_UNRESOLVED",
            ]

    play(scene())


def test_a_listener_that_others_reach_serves_nothing_without_a_list(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace(
        'listen: localhost:1080\n    socks: {allow: ["*', "listen: '*:1080'\n    x-socks: {allow: [\"*"
    )
    (tmp_path / "exposed.yaml").write_text(text)

    async def scene() -> None:
        async with world(tmp_path / "exposed.yaml", "embedded") as up:
            await up.until_ready()
            assert up.plan.tunnel("browse").listen.exposed
            port = up.entrance("browse")[1]
            code, out = await curl("--socks5", f"127.0.0.1:{port}", "http://10.20.0.30:8080/")
            assert (code != 0, "(2)" in out) == (True, True)
            assert "allow" in told(up)[0][1]

    play(scene())


def test_a_user_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "s3cret")
    login = 'login: {user: alice, password: {env: PROXY_PASSWORD}}, allow: ["*.office'
    (tmp_path / "login.yaml").write_text(EXAMPLE.read_text().replace('allow: ["*.office', login))

    async def scene() -> None:
        async with world(tmp_path / "login.yaml", "embedded") as up:
            await up.until_ready()
            proxy, url = entrance(up), "http://wiki.office.example:8080/"
            for option in (("--socks5-hostname", proxy), ("--proxytunnel", "-x", f"http://{proxy}")):
                code, out = await curl(*option, "--proxy-user", "alice:s3cret", url)
                assert (code, WIKI in out) == (0, True), out
                for wrong in (("--proxy-user", "alice:guess"), ()):
                    code, out = await curl(*option, *wrong, url)
                    assert code != 0
                    assert any(said in out for said in ("407", "SOCKS5", "authentication")), out
            code, _ = await curl("--socks4a", proxy, "--proxy-user", "alice:s3cret", url)
            assert code != 0
            assert "s3cret" not in str(told(up))

    play(scene())
