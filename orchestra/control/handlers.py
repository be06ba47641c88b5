"""What the control socket asks of a running orchestra."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol, TypeAlias

from orchestra.model.events import Occurrence
from orchestra.model.frozen import dataclass
from orchestra.model.status import ErrorStatus, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How waiting ended. Neither ready nor fatal: it was taken down meanwhile."""

    ready: bool
    fatal: ErrorStatus | None = None
    """An error that trying again will not mend: a host key, a refused login."""


Document: TypeAlias = Mapping[str, Any]
"""A JSON object."""


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

    def leave(self, drain: float | None) -> None:
        """Begins to take everything down, of which what is carried has so many seconds to end, None for ever."""
        ...

    def reconnect(self, subject: str | None) -> Document:
        """Opens the sessions of a tunnel or to a server anew, or all: ``{"sessions", "refused"}``, the second a
        sentence when there is no such thing."""
        ...

    async def reload(self, request: Document) -> Document:
        """Reads the files again and applies what differs. All keys of the request may be left out.

        ``add``: tunnels besides, YAML by name; ``remove``: the name of one; ``options``: with which to read (default:
        as before); ``drain``: seconds that connections have whose tunnel or session goes, null for ever; ``timeout``:
        seconds to become ready in. With ``dry`` nothing is changed, and ``proposal`` of the answer, as that of another
        request, applies exactly what was shown. ``colour``, ``quiet``, ``verbosity``: how ``said`` is written.

        The answer: ``code``, an exit code; ``said``, what there is to say of the files; ``proposal``; ``changes``
        (:mod:`orchestra.render.changes_json`); ``disclosures``; ``applied``; ``failures`` of tunnels that are not what
        they are to be, of which those that ``stay`` go on as before; and whether that took too long (``late``).
        """
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
