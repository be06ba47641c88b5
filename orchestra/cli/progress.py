"""What happens, at standard error: a picture that is drawn again on a terminal, else one line per change of state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchestra.cli.console import Console
from orchestra.model.events import ConnectionFailed, Event, Noticed, SessionChanged, TunnelChanged
from orchestra.model.text import clean
from orchestra.render.progress import WAITS, ProgressLines, live_view

if TYPE_CHECKING:
    from rich.live import Live

    from orchestra.model.status import Status

_TICK = 1.0
"""Seconds between two pictures when nothing happens: counters move, retries come nearer."""


class Progress:
    """An observer of events. ``watch`` says where the whole picture comes from; before that there are only lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines = ProgressLines(console.err.style)
        self._status: Callable[[], Status] | None = None
        self._live: Live | None = None
        self._tick: asyncio.TimerHandle | None = None
        self.has_ended = False
        self._held: list[Event] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def leave(self) -> None:
        """It is being taken down: a picture stays as it was before, lines go on."""
        if self._live is not None:
            self.end()

    def end(self) -> None:
        """Says nothing from now on."""
        self.has_ended = True
        if self._tick is not None:
            self._tick.cancel()
        if self._live is not None:
            self._live.stop()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, the terminal is somebody else's; what happens meanwhile is told afterwards."""
        self._held = []
        shown = self._live is not None and not self.has_ended
        if self._live is not None and shown:
            self._live.transient = True  # the picture makes room, and comes again below
            self._live.stop()
        try:
            yield
        finally:
            told, self._held = self._held, None
            if shown and not self.has_ended:
                self._show()
            for event in told:
                self(event)

    def __call__(self, event: Event) -> None:
        if self._held is not None:
            self._held.append(event)
            return
        if self.has_ended:
            return
        try:
            self._tell(event)
        except OSError:  # nobody reads it any more, and what runs goes on
            self.end()

    def _tell(self, event: Event) -> None:
        line = self._lines.line(event, now=time.time())
        if self._live is None:
            if line:
                self._console.say("\n".join(filter(None, (line, self._remedy(event)))))
            return
        if line and isinstance(event, ConnectionFailed | Noticed):
            from rich.text import Text

            self._live.console.print(Text.from_ansi(line))
        self._draw()

    def watch(self, status: Callable[[], Status]) -> None:
        """From now on, at a terminal, draws this status."""
        if self._console.quiet or not self._console.err.is_terminal:
            return
        self._status = status
        self._show()

    def _show(self) -> None:
        from rich.console import Console as Terminal
        from rich.live import Live

        terminal = Terminal(file=self._console.err.stream, no_color=not self._console.err.style.colour)
        self._live = Live(console=terminal, auto_refresh=False)
        self._live.start()
        self._draw()

    def _remedy(self, event: Event) -> str | None:
        """What to do about an error that trying again will not mend."""
        if not isinstance(event, SessionChanged | TunnelChanged) or event.state != "failed":
            return None
        if event.error is None or not event.error.suggestion or event.error.message.startswith(WAITS):
            return None
        return f"  {self._console.err.style('note', 'help:')} {clean(event.error.suggestion)}"

    def _draw(self) -> None:
        if self._live is None or self._status is None or self._held is not None:
            return
        if self._tick is not None:
            self._tick.cancel()
        view = live_view(self._status(), self._console.err.style, now=time.time())
        self._live.update(view, refresh=True)
        self._tick = asyncio.get_running_loop().call_later(_TICK, self._draw)
