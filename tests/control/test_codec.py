from __future__ import annotations

import json
from typing import Any

import pytest

from orchestra.control.codec import EVENTS, decode_event, decode_status, encode_event, encode_status
from orchestra.model.events import (
    Closed,
    ConnectionFailed,
    Event,
    Noticed,
    Occurrence,
    OverallChanged,
    PathChanged,
    Reloaded,
    SessionChanged,
    TunnelChanged,
)
from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus

ERROR = ErrorStatus(code="AUTH_FAILED", host="gateway", message="refused", since=12.5, attempts=2, suggestion="a key")
STATUS = Status(
    topology="office",
    name="office",
    pid=7,
    version="0.1.0",
    file="/x/office.yaml",
    state="degraded",
    sessions=(SessionStatus(id="gateway", server="gateway", state="failed", error=ERROR),),
    tunnels=(TunnelStatus(name="desk", state="ready", proven=True, listen=("127.0.0.1:1", "[::1]:1"), notes=("n",)),),
)
SAMPLES: tuple[Event, ...] = (
    SessionChanged(id="gateway", server="gateway", state="failed", error=ERROR),
    TunnelChanged(name="desk", state="ready", proven=True, listen=("127.0.0.1:1",)),
    PathChanged(name="desk", path=("laptop", "b"), before=("laptop", "a"), planned=False, reason="a was lost"),
    ConnectionFailed(tunnel="desk", peer="127.0.0.1:5", code="DIAL_FAILED", message="no"),
    Noticed(host=None, message="hello"),
    Reloaded(added=1, changed=2, removed=0, kept=3, lines=("+ tunnel desk: 127.0.0.1:1 → desk",)),
    OverallChanged(state="ready"),
    Closed(),
)


def over_the_wire(document: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(document))
    return read


def test_a_status_survives_the_journey() -> None:
    assert decode_status(over_the_wire(encode_status(STATUS))) == STATUS


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_an_event_survives_the_journey(event: Event) -> None:
    told = Occurrence(time=12.5, event=event, snapshot=True)
    assert decode_event(over_the_wire(encode_event(told))) == told


def test_every_event_has_a_name() -> None:
    assert {type(event) for event in SAMPLES} == set(EVENTS.values())


def test_what_a_newer_server_adds_is_skipped() -> None:
    assert decode_status(encode_status(STATUS) | {"weather": "fine"}) == STATUS
    assert decode_event({"type": "weather", "time": 1.0, "snapshot": False, "state": "fine"}) is None
