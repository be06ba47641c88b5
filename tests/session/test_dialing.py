"""Dials from this machine: the order in which addresses are tried, and that only the winner's socket is left."""

import asyncio
import socket

import pytest

from orchestra.session import dialing
from orchestra.session.dialing import dial, interleave, race


def test_families_take_turns():
    def info(family, address):
        return (family, socket.SOCK_STREAM, 6, "", (address, 1))

    six, four = socket.AF_INET6, socket.AF_INET
    infos = [info(six, "a"), info(six, "b"), info(four, "c"), info(six, "d")]
    assert [row[4][0] for row in interleave(infos)] == ["a", "c", "b", "d"]


def attempts(made, *outcomes):
    """Attempts that end at once, never, or with an error; they keep their sockets in ``made``."""

    def attempt(outcome):
        async def run():
            if isinstance(outcome, OSError):
                raise outcome
            sock = socket.socket()
            made.append(sock)
            try:
                if outcome == "never":
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                sock.close()
                raise
            return sock

        return run

    return [attempt(outcome) for outcome in outcomes]


def test_what_does_not_answer_is_overtaken_and_left_behind(monkeypatch):
    monkeypatch.setattr(dialing, "STAGGER", 0.001)
    made = []

    async def main():
        with await race(attempts(made, ConnectionRefusedError(), "never", "connects", "never")) as won:
            assert won is made[1]

    asyncio.run(main())
    assert len(made) == 2
    assert all(sock.fileno() < 0 for sock in made)


def test_when_all_fail_the_first_failure_counts():
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(race(attempts([], ConnectionRefusedError(), TimeoutError())))
    with pytest.raises(OSError, match="no address"):
        asyncio.run(race([]))


@pytest.mark.parametrize("turns", range(6))
def test_cancelled_at_any_instant_it_leaves_no_socket(turns):
    made = []

    async def main():
        task = asyncio.create_task(race(attempts(made, "connects")))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for result in await asyncio.gather(task, return_exceptions=True):
            if isinstance(result, socket.socket):
                result.close()

    asyncio.run(main())
    assert all(sock.fileno() < 0 for sock in made)


def test_a_name_with_two_families_reaches_the_one_that_listens():
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            with await dial("localhost", port) as connected:
                assert connected.getpeername() == ("127.0.0.1", port)
                assert connected.gettimeout() == 0

    asyncio.run(main())


def test_one_family_alone_and_an_address_to_dial_from():
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            with await dial("localhost", port, "ipv4", "127.0.0.9") as connected:
                assert connected.getsockname()[0] == "127.0.0.9"
            with pytest.raises(socket.gaierror):
                await dial("127.0.0.1", port, "ipv6")
            with pytest.raises(OSError, match=r"::1 cannot dial 127\.0\.0\.1"):
                await dial("127.0.0.1", port, None, "::1")

    asyncio.run(main())
