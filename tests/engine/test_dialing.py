from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.dialing import Caps, attempt, begin, dial
from orchestra.model.plan import Dial
from orchestra.session.errors import DialRefused, SessionLost
from orchestra.testing import Collector, MemoryNetwork, run_virtual


def test_an_attempt_says_who_dialed_what_and_whom_that_means() -> None:
    assert attempt(Dial(by="gateway", host="10.0.0.1", port=80, means="web")) == "gateway dialed 10.0.0.1:80 (web)"
    assert attempt(Dial(by="gateway", host="::1", port=80)) == "gateway dialed [::1]:80"
    assert attempt(Dial(by="gateway", path="/run/x.sock")) == "gateway dialed unix:/run/x.sock"


def test_pending_dials_are_capped_for_each_target_alone_and_forgotten() -> None:
    async def main() -> None:
        caps, inside, most = Caps(2), {"a": 0, "b": 0}, {"a": 0, "b": 0}

        async def pending(target: str) -> None:
            async with caps.slot(target):
                inside[target] += 1
                most[target] = max(most[target], inside[target])
                await asyncio.sleep(1)
                inside[target] -= 1

        await asyncio.gather(*(pending(target) for target in "aaaaab"))
        assert most == {"a": 2, "b": 1}
        assert asyncio.get_running_loop().time() == 3.0
        assert (caps._pending, caps._waiting) == ({}, {})

    run_virtual(main())


@pytest.mark.parametrize("silent", [False, True])
def test_a_target_is_not_blamed_for_a_place_that_says_nothing_itself(silent: bool) -> None:
    async def main() -> None:
        network = MemoryNetwork()
        gateway = network.place("gateway")
        network.black_holes.add(("gateway", 80))
        if silent:
            gateway.stall()
        with pytest.raises(DialRefused) as refused:
            await dial(gateway, Collector, Dial(by="gateway", host="127.0.0.1", port=80, means="web"), 10.0, Caps())
        blamed = ", and none from gateway itself: the session to it may be dead" if silent else ""
        said = f"gateway dialed 127.0.0.1:80 (web): no answer within 10 seconds{blamed}"
        assert refused.value.message == said

    run_virtual(main())


def test_a_dial_that_nobody_waits_for_has_its_deadline_and_its_place() -> None:
    async def main() -> None:
        caps, where = Caps(1), Dial(by="gateway", host="127.0.0.1", port=80)
        told: list[Exception | None] = []
        given_up: list[str] = []

        def ask(_make: object, host: str, _port: int, _done: object) -> Callable[[], None]:
            asked.append(asyncio.get_running_loop().time())
            return lambda: given_up.append(host)

        asked: list[float] = []
        for deadline in (10.0, 5.0, 12.0):
            assert begin(ask, Collector, where, deadline, caps, told.append)
        assert not begin(ask, Collector, Dial(by="gateway", path="/run/x"), 10.0, caps, told.append)
        assert asked == [0.0]  # the others wait their turn
        await asyncio.sleep(5.5)
        assert ([type(error) for error in told], given_up) == ([TimeoutError], [])
        await asyncio.sleep(7.0)
        assert [type(error) for error in told] == [TimeoutError] * 3
        assert (asked, given_up) == ([0.0, 10.0], ["127.0.0.1"] * 2)
        assert (caps._pending, caps._waiting) == ({}, {})

    run_virtual(main())


def test_a_place_goes_on_from_one_that_has_nobody_left_to_ask() -> None:
    async def main() -> None:
        caps, where = Caps(1), Dial(by="gateway", host="127.0.0.1", port=80)
        told: list[Exception | None] = []
        lost = SessionLost(Code.SESSION_LOST, "the session to gateway was closed")

        def ask(*_: object) -> Callable[[], None]:
            raise lost

        for _ in range(1000):
            assert begin(ask, Collector, where, 10.0, caps, told.append)
        assert told == []
        await asyncio.sleep(1)
        assert (told, caps._pending) == ([lost] * 1000, {})

    run_virtual(main())


def test_a_place_that_is_given_to_one_who_has_gone_goes_to_the_next() -> None:
    async def main() -> None:
        caps, inside = Caps(1), list[str]()

        async def pending(name: str) -> None:
            async with caps.slot("a"):
                inside.append(name)
                await asyncio.sleep(1)
            gone.cancel()  # it has just been given the place, and does not know it yet

        first, gone, last = (asyncio.create_task(pending(name)) for name in ("first", "gone", "last"))
        await asyncio.gather(first, gone, last, return_exceptions=True)
        assert (inside, gone.cancelled(), caps._pending, caps._waiting) == (["first", "last"], True, {}, {})

    run_virtual(main())


def test_a_dial_ends_once_also_when_it_is_asked_for_in_vain_at_its_deadline() -> None:
    async def main() -> None:
        caps, where, loop = Caps(1), Dial(by="gateway", host="127.0.0.1", port=80), asyncio.get_running_loop()
        asked: list[Callable[[Exception | None], None]] = []
        told: list[Exception | None] = []

        def ask(_make: object, _host: str, _port: int, done: Callable[[Exception | None], None]) -> Callable[[], None]:
            asked.append(done)
            if len(asked) == 2:
                raise SessionLost(Code.SESSION_LOST, "the session to gateway was closed")
            return lambda: None

        begin(ask, Collector, where, 60.0, caps, lambda _: None)
        loop.call_at(10.0, lambda: asked[0](None))  # its place goes to who is out of time in the same turn
        begin(ask, Collector, where, 10.0, caps, told.append)
        begin(ask, Collector, where, 60.0, caps, lambda _: None)
        await asyncio.sleep(11)
        assert ([type(error) for error in told], len(asked)) == ([TimeoutError], 3)
        assert list(caps._pending.values()) == [1]
        for _ in range(2):
            asked[2](None)
        assert (caps._pending, caps._waiting) == ({}, {})

    run_virtual(main())


def test_a_session_that_answers_while_it_is_asked_keeps_no_place() -> None:
    async def main() -> None:
        caps, where = Caps(1), Dial(by="gateway", host="127.0.0.1", port=80)
        told: list[Exception | None] = []

        def ask(_make: object, _host: str, _port: int, done: Callable[[Exception | None], None]) -> Callable[[], None]:
            done(None)
            return lambda: None

        for _ in range(2000):
            assert begin(ask, Collector, where, 10.0, caps, told.append)
        assert told == []
        await asyncio.sleep(1)
        assert (told, caps._pending, caps._waiting) == ([None] * 2000, {}, {})

    run_virtual(main())


def test_a_dial_that_is_given_up_leaves_its_place_and_whoever_waits_no_more_is_not_kept() -> None:
    async def main() -> None:
        caps, where = Caps(1), Dial(by="gateway", host="127.0.0.1", port=80)
        told: list[Exception | None] = []
        withdrawn: list[int] = []

        def ask(*_: object) -> Callable[[], None]:
            asked.append(number := len(asked))
            return lambda: withdrawn.append(number)

        asked: list[int] = []
        first, second, _, _ = (
            begin(ask, Collector, where, each, caps, told.append) for each in (60.0, 60.0, 1.0, 60.0)
        )
        assert first is not None
        assert second is not None
        (waiting,) = caps._waiting.values()
        second()
        await asyncio.sleep(2)
        assert (len(waiting), [type(error) for error in told]) == (1, [TimeoutError])
        first()
        first()
        assert (asked, withdrawn, len(told), list(caps._pending.values())) == ([0, 1], [0], 1, [1])

    run_virtual(main())


def test_who_waits_for_a_place_and_is_cancelled_is_not_kept() -> None:
    async def main() -> None:
        caps = Caps(1)

        async def pending() -> None:
            async with caps.slot("a"):
                await asyncio.sleep(1)

        tasks = [asyncio.create_task(pending()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        assert len(caps._waiting["a"]) == 1
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (caps._pending, caps._waiting) == ({}, {})

    run_virtual(main())
