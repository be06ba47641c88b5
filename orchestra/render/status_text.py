"""The status of a running orchestra: a line per session and per tunnel, and under it what is wrong.

::

    office · degraded · pid 4711 · /home/alice/office.yaml

      session  ✔ gateway  open
               ↻ inner    retrying in 4 s, after 3 attempts
                          CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused
      tunnel   ✔ desk     ready     127.0.0.1:5920, [::1]:5920  1 connection, 1.2 MiB in, 310 B out
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.layout import EMPTY, Cell, Row, Span, cell, counted, joined, table
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.model.events import TunnelChanged
    from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus

SYMBOLS: Mapping[str, Span] = MappingProxyType(
    {
        "open": ("good", "✔"),
        "ready": ("good", "✔"),
        "waiting": ("quiet", "·"),
        "connecting": ("note", "◌"),
        "starting": ("note", "◌"),
        "retrying": ("warn", "↻"),
        "degraded": ("warn", "▲"),
        "failed": ("bad", "✘"),
        "closed": ("quiet", "○"),
    }
)
"""A symbol for every state of sessions and tunnels; the state's name always stands beside it."""

_DROPPED = "dropped_"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def status_text(status: Status, style: Style = PLAIN, *, now: float) -> str:
    """The whole status. ``now``: seconds since the epoch, for what is scheduled."""
    role, _ = SYMBOLS[status.state]
    facts = [style(role or "name", status.state), f"pid {status.pid}", clean(status.file)]
    facts += [clean(status.http)] if status.http else []
    heading = f"{style('name', clean(status.name))} · {' · '.join(facts)}"
    rows = [row for session in status.sessions for row in _session(session, now)]
    rows += [row for tunnel in status.tunnels for row in _tunnel(tunnel, now)]
    return "\n".join([heading, "", *table(list(_labelled(rows)), style)]).rstrip()


def size(number: int) -> str:
    """A number of bytes for people: ``310 B``, ``1.2 MiB``."""
    amount, unit = float(number), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{number} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def retry(error: ErrorStatus | None, now: float) -> str:
    """When it is tried again and how often it was: `` in 4 s, after 3 attempts``; empty when nothing is scheduled."""
    if error is None or error.next_retry is None:
        return ""
    return f" in {max(1, round(error.next_retry - now))} s, after {counted(error.attempts, 'attempt')}"


def error_line(error: ErrorStatus) -> str:
    """``CODE host: message``, with the host where it is known and the message does not name it itself."""
    host = "" if error.host is None or error.host in error.message else f"{error.host}: "
    return clean(f"{error.code} {host}{error.message}", 1000)


def listening(tunnel: TunnelStatus | TunnelChanged) -> str:
    """Where it listens: ``127.0.0.1:5920, [::1]:5920`` here, ``gateway 127.0.0.1:40123`` at a server."""
    addresses = joined(tunnel.listen)
    return f"{clean(tunnel.at)} {addresses}" if tunnel.at and addresses else addresses


def _labelled(rows: list[tuple[str, Row]]) -> Iterator[Row]:
    """Each kind of row is named once, at its first."""
    previous = ""
    for label, row in rows:
        yield cell(label if label != previous else "", "quiet"), *row
        previous = label


def _session(session: SessionStatus, now: float) -> Iterator[tuple[str, Row]]:
    text = session.state + (retry(session.error, now) if session.state == "retrying" else "")
    yield "session", (_named(session.state, session.id), cell(text))
    if session.error is not None and session.state != "open":
        yield from (("session", (EMPTY, line)) for line in _explained(session.error))


def _tunnel(tunnel: TunnelStatus, now: float) -> Iterator[tuple[str, Row]]:
    state = tunnel.state + ("" if tunnel.proven or tunnel.state != "ready" else ", not proven")
    traffic = "  ".join(filter(None, (_traffic(tunnel), "optional" if tunnel.optional else "")))
    row: Row = (_named(tunnel.state, tunnel.name), cell(state), cell(listening(tunnel), "address"))
    yield "tunnel", (*row, cell(traffic, "quiet"))
    if tunnel.error is not None and tunnel.state != "ready":
        yield from (("tunnel", (EMPTY, line)) for line in _explained(tunnel.error))
        if again := retry(tunnel.error, now):
            yield "tunnel", (EMPTY, cell(f"tried again{again}", "quiet"))
    if tunnel.failed_over:
        yield "tunnel", (EMPTY, cell(f"by another path than planned: {joined(tunnel.path, ' → ')}", "warn"))
    if datagrams := _datagrams(tunnel.counters):
        yield "tunnel", (EMPTY, cell(datagrams, "quiet"))
    yield from (("tunnel", (EMPTY, cell(note, "quiet"))) for note in tunnel.notes)


def _named(state: str, name: str) -> Cell:
    return SYMBOLS[state], (None, " "), ("name", clean(name))


def _datagrams(counters: Mapping[str, int]) -> str:
    """``2 flows, 40 datagrams in, 41 out; dropped: 1 queue``, of kinds that count them."""
    if "flows_opened" not in counters:
        return ""
    dropped = [f"{counters[name]} {name.removeprefix(_DROPPED)}" for name in sorted(counters) if _DROPPED in name]
    passed = f"{counters.get('datagrams_in', 0)} datagrams in, {counters.get('datagrams_out', 0)} out"
    parts = [counted(counters.get("flows", 0), "flow"), passed]
    if "refused" in counters:
        parts.append(f"{counters['refused']} refused")
    if counters.get("degraded"):
        parts.append("by socat or nc: boundaries may be lost")
    return clean(joined(parts) + (f"; dropped: {joined(dropped)}" if dropped else ""))


def _traffic(tunnel: TunnelStatus) -> str:
    parts = [counted(tunnel.connections, "connection")] if tunnel.connections else []
    if tunnel.bytes_in or tunnel.bytes_out:
        parts.append(f"{size(tunnel.bytes_in)} in, {size(tunnel.bytes_out)} out")
    return ", ".join(parts)


def _explained(error: ErrorStatus) -> Iterator[Cell]:
    role: Role = "bad"
    yield cell(error_line(error), role)
    if error.suggestion:
        yield ("note", "help: "), (None, clean(error.suggestion))
