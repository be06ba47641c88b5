from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestra.lab.stub import CHUNK, identity, main, payload, serve_socket

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]
NAME = identity("desk", "gateway")


def converse(talk: Conversation) -> bytes:
    """Talks to one stub over a pair of sockets; the stub has ended when this returns."""

    async def both() -> bytes:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        stub = asyncio.create_task(serve_socket(far, NAME))
        reader, writer = await asyncio.open_connection(sock=near)
        answer = await talk(reader, writer)
        writer.close()
        await stub
        return answer

    return asyncio.run(both())


def say(*parts: bytes, eof: bool = False) -> Conversation:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if eof:
            writer.write_eof()
        return await reader.read()

    return talk


def test_a_page_names_the_target_and_its_host() -> None:
    head, _, body = converse(say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).partition(b"\r\n\r\n")
    assert body == b"desk on gateway\n"
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Connection: close" in head


def test_a_request_may_come_in_pieces() -> None:
    assert converse(say(b"G", b"ET ", b"/ HTTP/1.1\r\n", b"\r\n")).endswith(b"\r\n\r\ndesk on gateway\n")


def test_bytes_are_the_same_every_time_and_no_two_chunks_alike() -> None:
    answer = converse(say(b"GET /bytes/200000 HTTP/1.1\r\n\r\n"))
    assert answer.partition(b"\r\n\r\n")[2] == b"".join(payload(200000))
    assert len({*payload(CHUNK * 4)}) == 4
    assert [len(chunk) for chunk in payload(CHUNK + 1)] == [CHUNK, 1]


@pytest.mark.parametrize("method", [b"PUT", b"POST"])
def test_an_upload_is_answered_with_its_digest(method: bytes) -> None:
    body = b"x" * 300_000
    request = method + b" /file HTTP/1.1\r\nContent-Length: 300000\r\n\r\n"
    digest = hashlib.sha256(body).hexdigest().encode()
    assert converse(say(request, body, b"more")).endswith(b"\r\n\r\n" + digest + b" 300000\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\n\r\n", b"404"),
        (b"PUT / HTTP/1.1\r\n\r\n", b"411"),
        (b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", b"400"),
    ],
)
def test_requests_that_cannot_be_answered_say_so(request_: bytes, status: bytes) -> None:
    assert converse(say(request_, eof=True)).startswith(b"HTTP/1.1 " + status)


def test_anything_else_is_echoed_behind_the_name_until_the_end() -> None:
    assert converse(say(b"hello ", b"world", eof=True)) == b"desk on gateway\nhello world"


def test_what_only_begins_like_a_request_is_echoed() -> None:
    assert converse(say(b"GETTING ON", eof=True)) == b"desk on gateway\nGETTING ON"
    assert converse(say(b"P", eof=True)) == b"desk on gateway\nP"


def test_an_end_without_a_word_is_answered_with_the_name() -> None:
    assert converse(say(eof=True)) == b"desk on gateway\n"


def test_a_slow_reader_stops_the_stub() -> None:
    async def stall() -> int:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        stub = asyncio.create_task(serve_socket(far, NAME))
        loop, sent = asyncio.get_running_loop(), 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while sent < 2**24:
                    await loop.sock_sendall(near, bytes(CHUNK))
                    sent += CHUNK
        near.close()
        await stub
        return sent

    assert asyncio.run(stall()) < 2**21


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "orchestra.lab.stub", "desk", "gateway", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def listening(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word, _, address = process.stdout.readline().strip().partition(" ")
    assert word == "listening"
    return address


def test_as_a_program_it_serves_until_terminated(tmp_path: Path) -> None:
    path = tmp_path / "stub.sock"
    with running("127.0.0.1:auto", f"unix:{path}") as process:
        host, _, port = listening(process).partition(":")
        assert listening(process) == f"unix:{path}"
        with socket.create_connection((host, int(port)), timeout=5) as tcp:
            tcp.sendall(b"hi")
            tcp.shutdown(socket.SHUT_WR)
            assert tcp.makefile("rb").read() == b"desk on gateway\nhi"
        with socket.socket(socket.AF_UNIX) as unix:
            unix.connect(str(path))
            unix.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert unix.makefile("rb").read().endswith(b"desk on gateway\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert not path.exists()


def test_as_a_program_it_ends_with_its_standard_input() -> None:
    with running("127.0.0.1:auto") as process:
        listening(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_datagrams_are_echoed_behind_the_name() -> None:
    with running("127.0.0.1:auto", "--protocol", "udp") as process:
        host, _, port = listening(process).partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(5)
            udp.sendto(b"query", (host, int(port)))
            assert udp.recv(100) == b"desk on gateway query"


def test_a_wildcard_is_every_family() -> None:
    with running("*:auto") as process:
        assert listening(process).startswith(("0.0.0.0:", "[::]:"))


def test_an_address_that_is_taken_is_an_error_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["desk", "gateway", f"127.0.0.1:{taken.getsockname()[1]}"]) == 1
    assert "stub of desk on gateway" in capsys.readouterr().err


def test_nothing_heavy_comes_in_with_it() -> None:
    heavy = "{'asyncssh', 'networkx', 'pydantic', 'typer', 'yaml', 'aiohttp'}"
    code = f"import sys, orchestra.lab.stub; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
