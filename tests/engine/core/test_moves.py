from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from orchestra.engine.core.moves import (
    LISTENER,
    PROOF,
    SESSION,
    IllegalMove,
    ListenerMove,
    ListenerState,
    ProofMove,
    ProofState,
    SessionMove,
    move,
)
from orchestra.model.status import SessionState

TABLES = [
    pytest.param(SESSION, SessionState, SessionMove, id="session"),
    pytest.param(LISTENER, ListenerState, ListenerMove, id="listener"),
    pytest.param(PROOF, ProofState, ProofMove, id="proof"),
]


@pytest.mark.parametrize(("table", "states", "moves"), TABLES)
def test_every_state_has_its_moves_and_leads_to_states(table: Any, states: Any, moves: Any) -> None:
    assert set(table) == set(get_args(states))
    assert {after for moves in table.values() for after in moves.values()} <= set(table)


@pytest.mark.parametrize(("table", "states", "moves"), TABLES)
def test_everything_can_be_closed_and_stays_closed(table: Any, states: Any, moves: Any) -> None:
    assert all(moves.get("close") == "closed" for state, moves in table.items() if state != "closed")
    assert table["closed"] == {}


@pytest.mark.parametrize(("table", "states", "moves"), TABLES)
def test_in_every_state_every_move_leads_where_the_table_says_or_is_a_contradiction(
    table: Any, states: Any, moves: Any
) -> None:
    for state, by in product(get_args(states), get_args(moves)):
        if by in table[state]:
            assert move(table, state, by) == table[state][by]
        else:
            with pytest.raises(IllegalMove, match=f"'{by}' in state '{state}'"):
                move(table, state, by)


@pytest.mark.parametrize(("table", "states", "moves"), TABLES)
def test_every_move_is_one_in_some_state_and_every_state_is_reached(table: Any, states: Any, moves: Any) -> None:
    assert {by for legal in table.values() for by in legal} == set(get_args(moves))
    first = next(iter(table))
    reached = {first}
    for _ in table:
        reached |= {after for state in reached for after in table[state].values()}
    assert reached == set(get_args(states))
