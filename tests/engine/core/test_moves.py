from __future__ import annotations

from typing import Any, get_args

import pytest

from orchestra.engine.core.moves import LISTENER, PROOF, SESSION, IllegalMove, ListenerState, ProofState, move
from orchestra.model.status import SessionState

TABLES = [(SESSION, SessionState), (LISTENER, ListenerState), (PROOF, ProofState)]


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_every_state_has_its_moves_and_leads_to_states(table: Any, states: Any) -> None:
    assert set(table) == set(get_args(states))
    assert {after for moves in table.values() for after in moves.values()} <= set(table)


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_everything_can_be_closed_and_stays_closed(table: Any, states: Any) -> None:
    assert all(moves.get("close") == "closed" for state, moves in table.items() if state != "closed")
    assert table["closed"] == {}


def test_what_the_table_does_not_have_is_refused() -> None:
    assert move(SESSION, "waiting", "open") == "connecting"
    with pytest.raises(IllegalMove, match="'opened' in state 'waiting'"):
        move(SESSION, "waiting", "opened")
