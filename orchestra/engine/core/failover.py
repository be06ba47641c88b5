"""Which of its ways a tunnel takes: another one when the live one is down, and back when the better one has lasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.core.messages import CancelCheck, SetTimer, TakeWay
from orchestra.engine.core.moves import PROOF, move
from orchestra.engine.core.state import blocker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.engine.core.state import Draft, TunnelEntry
    from orchestra.engine.core.ways import Way

RETURN = 30.0
"""Seconds that a better way has to be open before connections go back to it: one that flaps is not followed."""
LASTED = f"the better path has been open for {RETURN:g} seconds"
_EARLY = 0.001
"""Seconds; timers are not exact."""


def choose(draft: Draft, name: str) -> None:
    """Leaves a live way that is down, when there is another; where a better one is open, its turn will come."""
    entry = draft.tunnels[name]
    blocked = blocker(draft.sessions, entry.way)
    if blocked is not None and (entry.settled or blocked.trouble is not None):
        number = _instead(draft, entry)
        if number is not None:
            why = blocked.trouble.failure.message if blocked.trouble else f"{blocked.spec.server} is being opened"
            take(draft, entry, number, why)
    entry = draft.tunnels[name]
    if entry.back_at is None and any(draft.is_passable(way) for way in entry.ways[: entry.live]):
        _think_again(draft, entry, draft.now + RETURN)


def _instead(draft: Draft, entry: TunnelEntry) -> int | None:
    """The first way that is open; else, when nothing will come of the live one, the first that may be opened."""
    ways = list(enumerate(entry.ways))
    found = next((number for number, way in ways if draft.is_passable(way)), None)
    if found is None and draft.is_hopeless(entry.way):
        found = next((number for number, way in ways if not draft.is_hopeless(way)), None)
    return found


def take(draft: Draft, entry: TunnelEntry, number: int, why: str) -> None:
    """New connections take that way, of which nothing is proven yet."""
    if entry.proof == "running":
        draft.commands.append(CancelCheck(entry.name))
    draft.commands.append(TakeWay(entry.name, number))
    proof = move(PROOF, entry.proof, "path lost")
    changes = {"proof": proof, "proven": False, "streak": 0, "proof_trouble": None}
    draft.put_tunnel(entry, live=number, turned=why, back_at=None, **changes)


def better(draft: Draft, entry: TunnelEntry) -> Iterator[int]:
    """The ways before the live one that have been open for long enough."""
    for number, way in enumerate(entry.ways[: entry.live]):
        if draft.is_passable(way) and _lasts_until(draft, way) <= draft.now + _EARLY:
            yield number


def postpone(draft: Draft, name: str) -> bool:
    """Sets the next time to think of the way back; whether there is nothing else to do now."""
    entry = draft.tunnels[name]
    open_since = [_lasts_until(draft, way) for way in entry.ways[: entry.live] if draft.is_passable(way)]
    if not open_since:
        draft.put_tunnel(entry, back_at=None)
        return True
    too_early = min(open_since) > draft.now + _EARLY
    _think_again(draft, entry, min(open_since) if too_early else draft.now + RETURN)
    return too_early


def _think_again(draft: Draft, entry: TunnelEntry, at: float) -> None:
    draft.put_tunnel(entry, back_at=at)
    draft.commands.append(SetTimer(("way", entry.name), at))


def _lasts_until(draft: Draft, way: Way) -> float:
    """When the way will have been open for long enough, if it stays so."""
    return max((draft.sessions[id_].opened_at for id_ in way.sessions), default=draft.now - RETURN) + RETURN


def standing_by(draft: Draft) -> frozenset[str]:
    """Sessions that no tunnel needs now: those of ways that are opened only when the ways before them are down."""
    spare: set[str] = set()
    needed: set[str] = set()
    if any(len(entry.ways) > 1 for entry in draft.tunnels.values()):
        for entry in draft.tunnels.values():
            wanted = {id_ for way in _wanted(draft, entry) for id_ in way.sessions}
            needed |= wanted
            needed.update(entry.coming.spec.sessions if entry.coming is not None else ())
            spare.update(id_ for way in entry.ways for id_ in way.sessions if id_ not in wanted)
    return frozenset(spare - needed)


def _wanted(draft: Draft, entry: TunnelEntry) -> Iterator[Way]:
    yield entry.way
    for number, way in enumerate(entry.ways):
        yield way
        if entry.spec.spec.standby == "cold" and not _is_troubled(draft, entry, number):
            return


def _is_troubled(draft: Draft, entry: TunnelEntry, number: int) -> bool:
    if number == entry.live and entry.proof_trouble is not None:
        return True
    return any(draft.sessions[id_].trouble is not None for id_ in entry.ways[number].sessions)
