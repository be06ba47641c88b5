"""What happens, while it happens: a line per change of state, or, on a terminal, a picture that is drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.events import ConnectionFailed, Event, Noticed, OverallChanged, SessionChanged, TunnelChanged
from orchestra.model.text import clean
from orchestra.render.layout import joined
from orchestra.render.status_text import SYMBOLS, error_line, retry, status_text
from orchestra.render.style import PLAIN, Style

if TYPE_CHECKING:
    from rich.text import Text

    from orchestra.model.status import Status


class ProgressLines:
    """Events to lines. What repeats the line before it about the same thing gives none."""

    def __init__(self, style: Style = PLAIN) -> None:
        self._style = style
        self._last: dict[tuple[str, str], str] = {}

    def line(self, event: Event, *, now: float) -> str | None:
        """The line for one event, or None. ``now``: seconds since the epoch."""
        match event:
            case SessionChanged():
                return self._changed("session", event.id, event.state, _session(event, now))
            case TunnelChanged():
                return self._changed("tunnel", event.name, event.state, _tunnel(event))
            case OverallChanged(state=state):
                return self._changed("orchestra", "", state, "")
            case ConnectionFailed():
                text = clean(f"connection of {event.peer} failed: {event.code} {event.message}", 1000)
                return f"{self._style('warn', '!')} tunnel {self._style('name', clean(event.tunnel))}: {text}"
            case Noticed():
                who = f"{self._style('name', clean(event.host))}: " if event.host else ""
                return f"{self._style('note', 'i' if event.level == 'info' else '!')} {who}{clean(event.message, 1000)}"

    def _changed(self, what: str, name: str, state: str, more: str) -> str | None:
        key, text = (what, name), f"{state}{more}"
        if self._last.get(key) == text:
            return None
        self._last[key] = text
        role, symbol = SYMBOLS[state]
        subject = " ".join(filter(None, (what, self._style("name", clean(name)))))
        return f"{self._style(role or 'name', symbol)} {subject}: {text}"


def live_view(status: Status, style: Style, *, now: float) -> Text:
    """The status as something that rich can draw over and over."""
    from rich.text import Text

    return Text.from_ansi(status_text(status, style, now=now), no_wrap=True, overflow="ellipsis")


def _session(event: SessionChanged, now: float) -> str:
    if event.error is None or event.state == "open":
        return ""
    return f"{retry(event.error, now)}: {error_line(event.error)}"


def _tunnel(event: TunnelChanged) -> str:
    where = f" at {joined(event.listen)}" if event.listen and event.state != "failed" else ""
    unproven = ", not proven" if event.state == "ready" and not event.proven else ""
    why = f": {error_line(event.error)}" if event.error and event.state != "ready" else ""
    return f"{where}{unproven}{why}"
