"""Services that speak first, in a network in memory and in virtual time: what they say, and what they do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from orchestra_plugins import greetings

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.plan import Dial, PlannedTunnel
from orchestra.model.topology import SecretRef, Tunnel
from orchestra.plugin.interfaces import Check, TunnelContext
from orchestra.plugin.manager import load_plugins
from orchestra.session import DialRefused, Peer, Receiver, Session, Stream
from orchestra.testing import Collector, MemoryNetwork, run_virtual

R = TypeVar("R", bound=Receiver)
PORT = 5900
TIMEOUT = 10.0


class Speaker(Collector):
    """A service that says its parts in turn, one virtual second apart, and then hangs up, or stays."""

    def __init__(self, *parts: bytes, hangs_up: bool = False) -> None:
        super().__init__()
        self._parts, self._hangs_up = parts, hangs_up

    def connection_made(self, stream: Stream, /) -> None:
        super().connection_made(stream)
        self._say(*self._parts)

    def _say(self, *parts: bytes) -> None:
        assert self.stream is not None
        if parts:
            self.stream.write(parts[0])
            asyncio.get_running_loop().call_later(1, self._say, *parts[1:])
        elif self._hangs_up:
            self.stream.close()


class Dialing:
    """What a check may do with its tunnel: here, it dials from one place."""

    def __init__(self, exit_: Session) -> None:
        self._exit = exit_
        dial = Dial(by=exit_.host, host="desk", port=PORT, means="desk")
        spec = Tunnel(name="screen", to="screen", dial_timeout=TIMEOUT)
        self.tunnel = PlannedTunnel(name="screen", kind="tcp", verdict="reachable", spec=spec, dial=dial)

    async def dial(self, make: Callable[[], R], host: str | None = None, port: int | None = None) -> tuple[Stream, R]:
        return await self._exit.create_connection(make, host or "desk", port or PORT)

    async def exit(self) -> Session:
        return self._exit

    async def relay(self, host: str | None = None, port: int | None = None) -> Receiver:
        raise NotImplementedError

    async def read_secret(self, ref: SecretRef) -> bytes:
        raise NotImplementedError

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        raise NotImplementedError

    def failed(self, peer: Peer, error: Exception) -> RuntimeFailure:
        raise NotImplementedError


def check(name: str) -> Check:
    return next(each for each in greetings.orchestra_checks() if each.spec.name == name)


def checked(name: str, speaker: Callable[[], Speaker] | None) -> tuple[RuntimeFailure | None, float]:
    """What a check says of a service, and after how many seconds; nothing may be left open. No service: refused."""

    async def scene() -> tuple[RuntimeFailure | None, float]:
        network = MemoryNetwork()
        gateway, desk = network.place("gateway"), network.place("desk")

        async def accept(_peer: Peer) -> Receiver:
            assert speaker is not None
            return speaker()

        if speaker is not None:
            await desk.create_server(accept, "*", PORT)
        context: TunnelContext = Dialing(gateway)
        said: RuntimeFailure | None = None
        try:
            await check(name).run(context)
        except RuntimeFailure as failure:
            said = failure
        assert not gateway.streams
        assert not desk.streams
        return said, asyncio.get_running_loop().time()

    return run_virtual(scene())


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("vnc", b"RFB 003.008\n"),
        ("pop3", b"+OK POP3 ready <1896.697170952@dbc.mtview.ca.us>\r\n"),
        ("smtp", b"220 mail.example ESMTP\r\n"),
        ("ftp", b"220-Welcome\r\n220 ready\r\n"),
        ("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    ],
)
def test_the_right_greeting_proves_the_tunnel(name: str, greeting: bytes) -> None:
    assert checked(name, lambda: Speaker(greeting)) == (None, 0)


def test_a_greeting_may_come_in_pieces() -> None:
    failure, seconds = checked("vnc", lambda: Speaker(b"R", b"FB", b" 003"))
    assert failure is None
    assert seconds == pytest.approx(2)


def test_another_service_is_said_with_who_dialed_what_and_what_was_expected() -> None:
    failure, _ = checked("vnc", lambda: Speaker(b"SSH-2.0-OpenSSH_9.2p1\r\n"))
    assert failure is not None
    assert (failure.code, failure.host) == (Code.CHECK_FAILED, "desk")
    assert str(failure).startswith("gateway dialed desk:5900: the target greeted with 'SSH-")
    assert "vnc begins with 'RFB '" in str(failure)


def test_what_the_target_sent_cannot_move_the_cursor() -> None:
    failure, _ = checked("ssh", lambda: Speaker(b"\x1b[2J\x07\n-ERR"))
    assert failure is not None
    assert "·[2J·" in str(failure)
    assert str(failure).isprintable()


@pytest.mark.parametrize("parts", [(), (b"RF",)])
def test_silence_is_waited_for_until_the_deadline(parts: tuple[bytes, ...]) -> None:
    failure, seconds = checked("vnc", lambda: Speaker(*parts))
    assert failure is not None
    assert (failure.code, "the target did not greet" in str(failure)) == (Code.CHECK_FAILED, True)
    assert seconds == pytest.approx(TIMEOUT)


@pytest.mark.parametrize(("parts", "said"), [((), "the target hung up"), ((b"RF",), "greeted with 'RF'")])
def test_hanging_up_is_noticed_at_once(parts: tuple[bytes, ...], said: str) -> None:
    failure, seconds = checked("vnc", lambda: Speaker(*parts, hangs_up=True))
    assert failure is not None
    assert said in str(failure)
    assert seconds == len(parts)


def test_a_dial_that_is_refused_stays_what_it_is() -> None:
    failure, _ = checked("vnc", None)
    assert isinstance(failure, DialRefused)
    assert failure.code is Code.CONNECT_REFUSED


def test_its_checks_are_words_of_the_file_once_it_is_loaded() -> None:
    plugins = load_plugins([greetings], entry_points=False)
    assert set(plugins.vocabulary.checks) == {"vnc", "pop3", "smtp", "ftp", "ssh"}
    assert {spec.package for spec in plugins.vocabulary.checks.values()} == {"orchestra-tunnels"}
