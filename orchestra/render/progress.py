"""What happens, while it happens: a line per change of state, or, on a terminal, a picture that is drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.events import (
    Closed,
    ConnectionFailed,
    Event,
    Noticed,
    OverallChanged,
    PathChanged,
    Reloaded,
    SessionChanged,
    TunnelChanged,
)
from orchestra.model.text import clean
from orchestra.render.layout import joined
from orchestra.render.status_text import SYMBOLS, error_line, listening, retry, status_text
from orchestra.render.style import PLAIN, Style

if TYPE_CHECKING:
    from rich.text import Text

    from orchestra.model.status import ErrorStatus, Status

WAITS = "waits for "
"""How the error of a tunnel begins whose session is in trouble, which is told of that session."""


def progress_line(event: Event, style: Style = PLAIN, *, now: float | None = None) -> str:
    """One event as one line. ``now``: seconds since the epoch, to say when something is tried again."""
    match event:
        case SessionChanged():
            return _state_line("session", event.id, event.state, _session(event, now), style)
        case TunnelChanged():
            return _state_line("tunnel", event.name, event.state, _tunnel(event), style)
        case PathChanged():
            return _path(event, style)
        case OverallChanged(state=state):
            return _state_line("orchestra", "", state, "", style)
        case Reloaded():
            return _reloaded(event, style)
        case Closed():
            return _state_line("orchestra", "", "closed", "", style)
        case ConnectionFailed():
            text = clean(f"connection of {event.peer} failed: {event.code} {event.message}", 1000)
            return f"{style('warn', '!')} tunnel {style('name', clean(event.tunnel))}: {text}"
        case Noticed():
            who = f"{style('name', clean(event.host))}: " if event.host else ""
            return f"{style('note', 'i' if event.level == 'info' else '!')} {who}{clean(event.message, 1000)}"


class ProgressLines:
    """Events to lines; what repeats the line before it about the same thing gives none."""

    def __init__(self, style: Style = PLAIN) -> None:
        self._style = style
        self._last: dict[tuple[type[Event], str], str] = {}

    def line(self, event: Event, *, now: float | None = None) -> str | None:
        """The line for one event, or None."""
        line = progress_line(event, self._style, now=now)
        match event:
            case SessionChanged(id=name) | TunnelChanged(name=name):
                return self._fresh(type(event), name, line)
            case OverallChanged():
                return self._fresh(OverallChanged, "", line)
            case _:
                return line

    def _fresh(self, kind: type[Event], name: str, line: str) -> str | None:
        if self._last.get((kind, name)) == line:
            return None
        self._last[kind, name] = line
        return line


def live_view(status: Status, style: Style, *, now: float) -> Text:
    """The status as something that rich can draw over and over."""
    from rich.text import Text

    return Text.from_ansi(status_text(status, style, now=now), no_wrap=True, overflow="ellipsis")


def _state_line(what: str, name: str, state: str, more: str, style: Style) -> str:
    role, symbol = SYMBOLS[state]
    subject = f"{what} {style('name', clean(name))}" if name else what
    return f"{style(role or 'name', symbol)} {subject}: {state}{more}"


def _path(event: PathChanged, style: Style) -> str:
    """Which way it goes now, and why it left the other."""
    now, before = joined(event.path, " → "), joined(event.before, " → ")
    symbol, back = (style("good", "✔"), "again ") if event.planned else (style("warn", "▲"), "")
    text = f"goes {back}by {now}, no longer by {before}: {clean(event.reason, 1000)}"
    return f"{symbol} tunnel {style('name', clean(event.name))} {text}"


def _reloaded(event: Reloaded, style: Style) -> str:
    """How many parts are concerned, then which."""
    numbers = {"added": event.added, "changed": event.changed, "removed": event.removed, "kept": event.kept}
    counts = ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
    parts = clean("; ".join(event.lines), 1000)
    what = f"reloaded, {counts or 'nothing runs any more'}{': ' if parts else ''}{parts}"
    return f"{style('note', 'i')} orchestra: {what}"


def _session(event: SessionChanged, now: float | None) -> str:
    if event.error is None or event.state not in ("retrying", "failed"):
        return ""
    return f"{'' if now is None else retry(event.error, now)}: {error_line(event.error)}"


def _tunnel(event: TunnelChanged) -> str:
    where = f" at {listening(event)}" if event.listen and event.state != "failed" else ""
    unproven = ", not proven" if event.state == "ready" and not event.proven else ""
    why = f": {_brief(event.error)}" if event.error and event.state != "ready" else ""
    again = ", will be tried again" if event.error and event.error.next_retry and event.state == "failed" else ""
    return f"{where}{unproven}{again}{why}"


def _brief(error: ErrorStatus) -> str:
    """What it waits for has been told in full already, of the session itself."""
    return clean(error.message.partition(":")[0]) if error.message.startswith(WAITS) else error_line(error)
