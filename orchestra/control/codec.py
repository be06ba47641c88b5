"""Status and events as JSON objects and back: what travels over the control socket.

Readers skip keys that they do not know, so that a client may be older than the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeAlias, TypeVar

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
from orchestra.model.measures import Durations
from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus

T = TypeVar("T")
Document: TypeAlias = dict[str, Any]

EVENTS: Mapping[str, type[Event]] = {
    "session": SessionChanged,
    "tunnel": TunnelChanged,
    "path": PathChanged,
    "connection_failed": ConnectionFailed,
    "notice": Noticed,
    "reloaded": Reloaded,
    "state": OverallChanged,
    "closed": Closed,
}
"""The stable name of each event, its ``type`` in JSON."""

_TYPES = {kind: name for name, kind in EVENTS.items()}
_TUPLES = ("listen", "notes", "path", "before", "lines")
_DURATIONS = ("handshakes", "dials")


def encode_status(status: Status) -> Document:
    """The status, lossless."""
    return asdict(status)


def decode_status(document: Document) -> Status:
    """The status that was encoded; KeyError or TypeError when it is none."""
    parts = {
        "sessions": tuple(_build(SessionStatus, session) for session in document["sessions"]),
        "tunnels": tuple(_build(TunnelStatus, tunnel) for tunnel in document["tunnels"]),
    }
    return _build(Status, document | parts)


def encode_error(error: ErrorStatus | None) -> Document | None:
    """The error, or null."""
    return asdict(error) if error else None


def decode_error(document: Document | None) -> ErrorStatus | None:
    """The error that was encoded."""
    return _build(ErrorStatus, document) if document else None


def encode_event(told: Occurrence) -> Document:
    """The event with its ``type`` and its ``time``, in one object."""
    return {"time": told.time, "snapshot": told.snapshot, "type": _TYPES[type(told.event)], **asdict(told.event)}


def decode_event(document: Document) -> Occurrence | None:
    """The event that was encoded, or None when this version does not know its type."""
    kind = EVENTS.get(document.get("type", ""))
    return _build(Occurrence, document | {"event": _build(kind, document)}) if kind else None


def _build(kind: type[T], document: Document) -> T:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    known = {key: value for key, value in document.items() if key in names}
    for key in _TUPLES:
        if key in known:
            known[key] = tuple(known[key])
    if isinstance(known.get("error"), dict):
        known["error"] = decode_error(known["error"])
    for key in _DURATIONS:
        if key in known:
            known[key] = Durations(tuple(known[key]["counts"]), known[key]["total"])
    return kind(**known)
