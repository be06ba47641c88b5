"""The statuses as they were told last, and what is to be told of the next state: changes, as people would call them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from orchestra.engine.core.report import EngineStatus, overall, session_status, tunnel_status
from orchestra.model.events import OverallChanged, PathChanged, SessionChanged, TunnelChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.engine.core.state import State
    from orchestra.model.events import Event
    from orchestra.model.status import ErrorStatus, OverallState, SessionStatus, TunnelStatus


class Teller:
    """Knows what was told last. One step of a thousand tunnels costs what changed, not a thousand statuses."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._sessions = {id_: session_status(entry, 0.0) for id_, entry in state.sessions.items()}
        self._tunnels = {name: tunnel_status(state, entry, 0.0) for name, entry in state.tunnels.items()}
        self._required = Counter(status.state for status in self._tunnels.values() if not status.optional)
        self._whole = self._overall()

    def status(self) -> EngineStatus:
        """Everything, as it was told last."""
        return EngineStatus(
            state=self._overall(),
            sessions=tuple(self._sessions[id_] for id_ in self._state.sessions),
            tunnels=tuple(self._tunnels[name] for name in self._state.tunnels),
        )

    def changes(self, after: State, epoch: float) -> tuple[Event, ...]:
        """From the state told last to this one: states, proofs, addresses and errors; not attempts, not times.

        While it is taken down only sessions are told of: that tunnels have no path then is no news.
        """
        before, self._state = self._state, after
        told: list[Event] = [*self._session_changes(before, after, epoch)]
        tunnels = [*self._tunnel_changes(before, after, epoch)]
        if after.stopping:
            return tuple(told)
        told += tunnels
        if told and (whole := self._overall()) != self._whole:
            self._whole = whole
            told.append(OverallChanged(state=whole))
        return tuple(told)

    def _session_changes(self, before: State, after: State, epoch: float) -> Iterator[Event]:
        for id_ in before.sessions.keys() - after.sessions.keys():
            gone = self._sessions.pop(id_)
            yield SessionChanged(id=id_, server=gone.server, state="closed")
        for id_, entry in after.sessions.items():
            if entry is before.sessions.get(id_):
                continue
            earlier, now = self._sessions.get(id_), session_status(entry, epoch)
            self._sessions[id_] = now
            if earlier is None or _of_session(now) != _of_session(earlier):
                yield SessionChanged(id=id_, server=now.server, state=now.state, error=now.error)

    def _tunnel_changes(self, before: State, after: State, epoch: float) -> Iterator[Event]:
        moved = {id_ for id_, entry in after.sessions.items() if entry is not before.sessions.get(id_)}
        for name in before.tunnels.keys() - after.tunnels.keys():
            self._count(self._tunnels.pop(name), -1)
        for name, entry in after.tunnels.items():
            if entry is before.tunnels.get(name) and (not moved or moved.isdisjoint(entry.way.sessions)):
                continue
            earlier, now = self._tunnels.get(name), tunnel_status(after, entry, epoch)
            self._tunnels[name] = now
            self._count(now, 1)
            if earlier is None:
                continue  # that it is to be has been told; what becomes of it follows
            self._count(earlier, -1)
            if now.path != earlier.path:
                yield PathChanged(
                    name=name, path=now.path, before=earlier.path, planned=not now.failed_over, reason=entry.turned
                )
            if _of_tunnel(now) != _of_tunnel(earlier):
                yield TunnelChanged(
                    name=name, state=now.state, proven=now.proven, listen=now.listen, at=now.at, error=now.error
                )

    def _count(self, status: TunnelStatus, by: int) -> None:
        if not status.optional:
            self._required[status.state] += by

    def _overall(self) -> OverallState:
        sessions = {status.state for status in self._sessions.values()}
        return overall(sessions, [state for state, number in self._required.items() if number])


def _of_session(status: SessionStatus) -> tuple[object, ...]:
    return status.state, _of_error(status.error)


def _of_tunnel(status: TunnelStatus) -> tuple[object, ...]:
    return status.state, status.proven, status.listen, _of_error(status.error)


def _of_error(error: ErrorStatus | None) -> tuple[str, str] | None:
    return (error.code, error.message) if error is not None else None
