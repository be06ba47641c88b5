"""What the control socket asks of a running orchestra."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestra.model.events import Occurrence
from orchestra.model.status import ErrorStatus, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How waiting ended. Neither ready nor fatal: it was taken down meanwhile."""

    ready: bool
    fatal: ErrorStatus | None = None
    """An error that trying again will not mend: a host key, a refused login."""


class Handlers(Protocol):
    """Answers; called on the orchestra's own event loop."""

    def status(self) -> Status:
        """What is true now."""
        ...

    def variables(self) -> Mapping[str, str]:
        """The tunnels that are bound, as variables."""
        ...

    def log(self) -> str:
        """The end of its log; empty when it has none."""
        ...

    def invitation(self) -> str | None:
        """An address of its page that lets one browser in, once; None when it has no page."""
        ...

    async def picture(self) -> str | None:
        """The plan as SVG, as a part of the page; None where there is nothing that draws."""
        ...

    def stop(self) -> None:
        """Begins to take everything down; returns at once."""
        ...

    async def wait_ready(self) -> Readiness:
        """Returns when everything is ready, or cannot become so."""
        ...

    async def wait_closed(self) -> None:
        """Returns when everything has been taken down."""
        ...

    def events(self) -> AsyncIterator[Occurrence]:
        """What is true now, as events, then what happens; the last is Closed, when everything has been taken down."""
        ...
