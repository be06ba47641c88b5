"""When what is gathered goes."""

from __future__ import annotations

import asyncio

import pytest
from orchestra_plugins.udp.turn import Turn


def test_what_is_sent_while_something_is_handed_on_goes_when_all_of_it_was() -> None:
    turn, went = Turn(), list[int]()
    with turn:
        turn.at_its_end(lambda: went.append(1))
        turn.at_its_end(lambda: went.append(2))
        assert went == []
    assert went == [1, 2]
    with turn:
        """Nothing is left of the one before."""
    assert went == [1, 2]


def test_what_is_sent_besides_goes_with_the_turn_of_the_loop() -> None:
    async def main() -> None:
        turn, went = Turn(), list[int]()
        turn.at_its_end(lambda: went.append(1))
        assert went == []
        await asyncio.sleep(0)
        assert went == [1]

    asyncio.run(main())


def test_one_who_fails_holds_nothing_back() -> None:
    turn, went = Turn(), list[int]()

    def fail() -> None:
        with turn:
            turn.at_its_end(lambda: went.append(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert went == [1]
