"""Asking and hearing: pieces, limits, ends, and TLS."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orchestra.session import Conversation, NoAnswer, Peer, Receiver, SessionLost, Stream
from orchestra.session.conversation import LONGEST
from orchestra.testing import MemoryNetwork, MemorySession, run_virtual
from orchestra.testing.targets import Script, after
from tests.plugins.checks.certificates import NAME, Certificates
from tests.plugins.checks.subjects import Secured


def spoken(target: Callable[[], Receiver], scene: Callable[[Conversation, MemorySession], Awaitable[Any]]) -> Any:
    """What comes of a conversation with such a target."""

    async def main() -> Any:
        network = MemoryNetwork()
        gateway, desk = network.place("gateway"), network.place("desk")

        async def accept(_peer: Peer) -> Receiver:
            return target()

        await desk.create_server(accept, "*", 1)
        stream, talk = await gateway.create_connection(Conversation, "desk", 1)
        try:
            return await scene(talk, gateway)
        finally:
            stream.abort()

    return run_virtual(main())


class Leaving(Script):
    """Hangs up when it has said everything."""

    def connection_made(self, stream: Stream, /) -> None:
        super().connection_made(stream)
        stream.close()


async def one_line(talk: Conversation, _gateway: MemorySession) -> bytes:
    return await talk.line("its greeting")


def test_lines_and_counted_bytes_however_they_come() -> None:
    async def scene(talk: Conversation, _: MemorySession) -> list[bytes]:
        return [await talk.line("a"), await talk.exactly(3, "b"), await talk.line("c"), await talk.exactly(4, "d")]

    assert spoken(lambda: Script(b"one\r", b"\ntw", b"o!\nre", b"st"), scene) == [b"one", b"two", b"!", b"rest"]


def test_an_end_is_said_with_what_was_due_and_what_came() -> None:
    with pytest.raises(NoAnswer, match=r"^it hung up when its greeting was due, after 'half·\[2J'$"):
        spoken(lambda: Leaving(b"half\x1b[2J"), one_line)
    with pytest.raises(NoAnswer, match=r"^it hung up when its greeting was due$"):
        spoken(Leaving, one_line)


def test_a_lost_session_is_said_as_that() -> None:
    async def scene(talk: Conversation, gateway: MemorySession) -> bytes:
        line = await talk.line("first")
        gateway.lose("cut")
        with pytest.raises(SessionLost, match="cut"):
            await talk.line("second")
        return line

    assert spoken(lambda: Script(b"one\n"), scene) == b"one"


def test_a_line_without_an_end_is_given_up() -> None:
    with pytest.raises(NoAnswer, match=f"{LONGEST} bytes came without the end of a line"):
        spoken(lambda: Script(b"x" * 10 * LONGEST), one_line)


def test_what_is_awaited_has_a_name() -> None:
    async def scene(talk: Conversation, _: MemorySession) -> tuple[str, str]:
        before = talk.awaited
        await talk.line("its greeting")
        return before, talk.awaited

    assert spoken(lambda: Script(b"x\n"), scene) == ("the connection", "its greeting")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def trusting(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates.authority)


def test_the_same_under_tls(certificates: Certificates) -> None:
    async def scene(talk: Conversation, _: MemorySession) -> bytes:
        await talk.start_tls(trusting(certificates), NAME)
        talk.say(b"ping\n")
        answer = await talk.line("pong")
        talk.end_tls()
        return answer

    def target() -> Receiver:
        return Secured(Script(after(b"ping", b"pong\n")), certificates.server)

    assert spoken(target, scene) == b"pong"


def test_a_certificate_of_another_is_refused(certificates: Certificates) -> None:
    async def scene(talk: Conversation, _: MemorySession) -> None:
        await talk.start_tls(trusting(certificates), "other.example")

    with pytest.raises(NoAnswer, match="its certificate is not to be trusted: Hostname mismatch"):
        spoken(lambda: Secured(Script(), certificates.server), scene)


def test_clear_text_is_no_tls(certificates: Certificates) -> None:
    async def scene(talk: Conversation, _: MemorySession) -> None:
        await talk.start_tls(trusting(certificates), NAME)

    with pytest.raises(NoAnswer, match="the TLS handshake failed: wrong version number"):
        spoken(lambda: Script(b"220 ready\r\n"), scene)
