"""Listeners and proofs: when a tunnel is bound, when it is checked, and what a lost session takes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.core import coming
from orchestra.engine.core.backoff import SPREAD
from orchestra.engine.core.failover import LASTED, better, choose, postpone, take
from orchestra.engine.core.failures import classify
from orchestra.engine.core.messages import BindListener, CancelCheck, CloseListener, RunCheck, SetTimer
from orchestra.engine.core.moves import LISTENER, PROOF, move

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure, FailureClass
    from orchestra.engine.core.messages import TimerKey
    from orchestra.engine.core.state import Draft, Trouble, TunnelEntry


def advance_all(draft: Draft, opened: str | None = None) -> None:
    """Does for every tunnel what can be done now; ``opened`` is the session that has just been."""
    for name in draft.tunnels:
        advance(draft, name)
        if opened is not None:
            _try_by(draft, draft.tunnels[name], opened)


def advance(draft: Draft, name: str) -> None:
    """Takes a way that is open, binds a listener whose place is open, and checks a tunnel of which both is true.
    What is coming comes first."""
    coming.follow(draft, name)
    if len(draft.tunnels[name].ways) > 1:
        choose(draft, name)
    entry = draft.tunnels[name]
    if entry.listener == "idle" and draft.is_open(entry.entry):
        draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "bind"))
        draft.commands.append(BindListener(name, entry.port))
    if entry.listener != "bound" or not draft.is_passable(entry.way):
        return
    if entry.checked and entry.proof == "idle":
        _check(draft, entry)
    elif not entry.checked and not entry.settled:
        draft.put_tunnel(entry, settled=True)


def reconsider(draft: Draft, id_: str) -> None:
    """A session could not be opened: who goes by it may go by another."""
    for name, entry in list(draft.tunnels.items()):
        if len(entry.ways) > 1 and id_ in entry.way.sessions:
            advance(draft, name)


def _try_by(draft: Draft, entry: TunnelEntry, opened: str) -> None:
    """What fails by the live way may pass by one that has just been opened."""
    if entry.proven or entry.proof != "failed":
        return
    if any(opened in way.sessions and draft.is_passable(way) for way in entry.ways if way is not entry.way):
        _check(draft, entry)


def bound(draft: Draft, name: str, addresses: tuple[str, ...], port: int, notes: tuple[str, ...]) -> None:
    """It listens."""
    entry = draft.tunnels[name]
    state = move(LISTENER, entry.listener, "bound")
    draft.put_tunnel(entry, listener=state, addresses=addresses, port=port, notes=notes, bind_trouble=None)
    if entry.listener == "moving":
        coming.moved(draft, name)
    advance(draft, name)


def bind_failed(draft: Draft, name: str, failure: Failure) -> None:
    """It does not listen anywhere, or not where it is to listen from now on."""
    entry = draft.tunnels[name]
    if entry.listener == "moving":
        coming.move_failed(draft, name, failure)
        advance(draft, name)
        return
    attempts = entry.bind_trouble.attempts + 1 if entry.bind_trouble else 1
    kind = _bind_class(entry, failure)
    trouble = draft.trouble(entry.bind_trouble, failure, kind, attempts, ("listener", name))
    draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "failed"), bind_trouble=trouble)


def _bind_class(entry: TunnelEntry, failure: Failure) -> FailureClass:
    """Binding here costs nobody anything. At a server that let us listen before, our own lost session may still hold
    the port until sshd notices (ClientAliveInterval); SSH does not say why a listener is refused."""
    busy = {Code.LISTEN_IN_USE} if entry.entry is None else {Code.LISTEN_IN_USE, Code.FORWARD_REFUSED}
    ours = entry.entry is None or entry.port is not None
    return "transient" if failure.code in busy and ours else classify(failure.code)


def bind_due(draft: Draft, name: str) -> None:
    """A listener that failed may be tried again."""
    entry = draft.tunnels[name]
    if entry.listener == "retrying":
        draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "due"))
    advance(draft, name)


def try_again(draft: Draft, names: tuple[str, ...]) -> None:
    """What failed of these tunnels is tried now."""
    for name in names:
        bind_due(draft, name)
        if draft.tunnels[name].proof == "failed":
            check_due(draft, name)


def check_passed(draft: Draft, name: str, way: int, failed: Failure | None) -> None:
    """Traffic passes, perhaps by another way than the live one; ``every`` asks again later."""
    if way != draft.tunnels[name].live:
        _turn(draft, draft.tunnels[name], way, failed)
    entry = draft.tunnels[name]
    state, streak = move(PROOF, entry.proof, "passed"), max(entry.streak, 0) + 1
    every, rise = entry.spec.spec.check.every, entry.spec.spec.check.rise
    decides = every is None or entry.streak == 0 or streak >= rise
    draft.put_tunnel(entry, proof=state, streak=streak)
    if entry.proven or decides:
        draft.put_tunnel(draft.tunnels[name], proven=True, settled=True, proof_trouble=None)
    if every is not None:
        draft.commands.append(SetTimer(("check", name), draft.now + every))
    advance(draft, name)


def _turn(draft: Draft, entry: TunnelEntry, way: int, failed: Failure | None) -> None:
    """The check passed by that way: it is the live one from now on."""
    take(draft, replace(entry, proof="idle"), way, LASTED if failed is None else failed.message)
    entry = draft.tunnels[entry.name]
    draft.put_tunnel(entry, proof=move(PROOF, entry.proof, "check"))


def check_failed(draft: Draft, name: str, failure: Failure) -> bool:
    """Traffic does not pass, though the path is open; whether another way may be needed now."""
    entry = draft.tunnels[name]
    state, streak = move(PROOF, entry.proof, "failed"), min(entry.streak, 0) - 1
    every = entry.spec.spec.check.every
    draft.put_tunnel(entry, proof=state, streak=streak)
    if not _decides(entry):
        assert every is not None  # noqa: S101 - else every failure decides
        draft.commands.append(SetTimer(("check", name), draft.now + every))
        return False
    before: Trouble | None = entry.proof_trouble
    attempts = before.attempts + 1 if before else 1
    kind = "policy" if classify(failure.code) == "identity" else classify(failure.code)  # a check's own login
    trouble = draft.trouble(before, failure, kind, attempts, ("check", name), at_most=every)
    draft.put_tunnel(draft.tunnels[name], proven=False, proof_trouble=trouble)
    return before is None and len(entry.ways) > 1


def _decides(entry: TunnelEntry) -> bool:
    """Whether a failure now leaves it unproven: of what is repeated and was proven, so many in a row do."""
    check = entry.spec.spec.check
    return not entry.proven or check.every is None or 1 - min(entry.streak, 0) >= check.fall


def check_due(draft: Draft, name: str) -> None:
    """A check may be run again."""
    entry = draft.tunnels[name]
    if entry.proof in ("passed", "failed"):
        _check(draft, entry)


def way_due(draft: Draft, name: str) -> None:
    """A better way was open when it was looked at last: if it lasted, and the check passes by it, it is taken."""
    if postpone(draft, name):
        return
    entry = draft.tunnels[name]
    lasting = tuple(better(draft, entry))
    if not entry.checked:
        take(draft, entry, lasting[0], LASTED)
        advance(draft, name)
    elif entry.proof in ("passed", "failed"):
        _run(draft, entry, (*lasting, entry.live))


def _check(draft: Draft, entry: TunnelEntry) -> None:
    """By the live way; when much depends on it, by the others that are open too."""
    others = (n for n, way in enumerate(entry.ways) if n != entry.live and draft.is_passable(way))
    _run(draft, entry, (entry.live, *(others if _decides(entry) else ())))


def _run(draft: Draft, entry: TunnelEntry, ways: tuple[int, ...]) -> None:
    again = entry.streak != 0 and ways[0] == entry.live and entry.spec.spec.check.every is not None
    draft.put_tunnel(entry, proof=move(PROOF, entry.proof, "check"))
    draft.commands.append(RunCheck(entry.name, ways, again))


def lose_sessions(draft: Draft, gone: set[str]) -> None:
    """What stood on these sessions: proofs hold no longer, listeners at their servers are gone."""
    coming.lose(draft, gone)
    for entry in list(draft.tunnels.values()):
        if gone.isdisjoint(entry.way.sessions):
            continue
        if entry.proof == "running":
            draft.commands.append(CancelCheck(entry.name))
        proof = move(PROOF, entry.proof, "path lost")
        draft.put_tunnel(entry, proof=proof, proven=False, streak=0, proof_trouble=None)
        if entry.entry in gone:
            _lose_listener(draft, draft.tunnels[entry.name])
        if entry.coming is not None or (entry.entry not in gone and len(entry.ways) > 1):
            advance(draft, entry.name)


def hasten(draft: Draft) -> None:
    """What could not be bound, or did not pass its check, is tried again soon, unless somebody decided against us."""
    for entry in list(draft.tunnels.values()):
        if entry.listener == "retrying" and (trouble := _sooner(draft, entry.bind_trouble, ("listener", entry.name))):
            draft.put_tunnel(entry, bind_trouble=trouble)
        if entry.proof == "failed" and (trouble := _sooner(draft, entry.proof_trouble, ("check", entry.name))):
            draft.put_tunnel(entry, proof_trouble=trouble)


def _sooner(draft: Draft, trouble: Trouble | None, timer: TimerKey) -> Trouble | None:
    at = draft.now + draft.rng.uniform(0.0, SPREAD)
    if trouble is None or trouble.next_retry is None or trouble.next_retry <= at:
        return None
    if classify(trouble.failure.code) == "policy":
        return None
    draft.commands.append(SetTimer(timer, at))
    return replace(trouble, next_retry=at)


def _lose_listener(draft: Draft, entry: TunnelEntry) -> None:
    if entry.listener in ("binding", "bound"):
        draft.commands.append(CloseListener(entry.name))
    state = move(LISTENER, entry.listener, "session lost")
    draft.put_tunnel(entry, listener=state, addresses=(), notes=(), bind_trouble=None)
