"""Listeners and proofs: when a tunnel is bound, when it is checked, and what a lost session takes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.core.failures import classify
from orchestra.engine.core.messages import BindListener, CancelCheck, CloseListener, RunCheck, SetTimer
from orchestra.engine.core.moves import LISTENER, PROOF, move

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure, FailureClass
    from orchestra.engine.core.state import Draft, Trouble, TunnelEntry


def advance_all(draft: Draft) -> None:
    """Does for every tunnel what can be done now."""
    for name in draft.tunnels:
        advance(draft, name)


def advance(draft: Draft, name: str) -> None:
    """Binds a listener whose place is open; checks a tunnel that is bound and whose path is open."""
    entry = draft.tunnels[name]
    if entry.listener == "idle" and draft.is_open(entry.entry):
        draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "bind"))
        draft.commands.append(BindListener(name, entry.port))
    if entry.listener != "bound" or not draft.path_is_open(entry):
        return
    if entry.checked and entry.proof == "idle":
        _check(draft, entry)
    elif not entry.checked and not entry.settled:
        draft.put_tunnel(entry, settled=True)


def bound(draft: Draft, name: str, addresses: tuple[str, ...], port: int, notes: tuple[str, ...]) -> None:
    """It listens."""
    entry = draft.tunnels[name]
    state = move(LISTENER, entry.listener, "bound")
    draft.put_tunnel(entry, listener=state, addresses=addresses, port=port, notes=notes, bind_trouble=None)
    advance(draft, name)


def bind_failed(draft: Draft, name: str, failure: Failure) -> None:
    """It does not listen anywhere."""
    entry = draft.tunnels[name]
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


def check_passed(draft: Draft, name: str) -> None:
    """Traffic passes; ``every`` asks again later."""
    entry = draft.tunnels[name]
    state = move(PROOF, entry.proof, "passed")
    draft.put_tunnel(entry, proof=state, proven=True, settled=True, proof_trouble=None)
    if (every := entry.spec.spec.check.every) is not None:
        draft.commands.append(SetTimer(("check", name), draft.now + every))


def check_failed(draft: Draft, name: str, failure: Failure) -> None:
    """Traffic does not pass, though the path is open."""
    entry = draft.tunnels[name]
    before: Trouble | None = entry.proof_trouble
    attempts = before.attempts + 1 if before else 1
    kind = "policy" if classify(failure.code) == "identity" else classify(failure.code)  # a check's own login
    trouble = draft.trouble(before, failure, kind, attempts, ("check", name))
    draft.put_tunnel(entry, proof=move(PROOF, entry.proof, "failed"), proven=False, proof_trouble=trouble)


def check_due(draft: Draft, name: str) -> None:
    """A check may be run again."""
    entry = draft.tunnels[name]
    if entry.proof in ("passed", "failed"):
        _check(draft, entry)


def _check(draft: Draft, entry: TunnelEntry) -> None:
    draft.put_tunnel(entry, proof=move(PROOF, entry.proof, "check"))
    draft.commands.append(RunCheck(entry.name))


def lose_sessions(draft: Draft, gone: set[str]) -> None:
    """What stood on these sessions: proofs hold no longer, listeners at their servers are gone."""
    for entry in list(draft.tunnels.values()):
        if gone.isdisjoint(entry.way.sessions):
            continue
        if entry.proof == "running":
            draft.commands.append(CancelCheck(entry.name))
        proof = move(PROOF, entry.proof, "path lost")
        draft.put_tunnel(entry, proof=proof, proven=False, proof_trouble=None)
        if entry.entry in gone:
            _lose_listener(draft, draft.tunnels[entry.name])


def _lose_listener(draft: Draft, entry: TunnelEntry) -> None:
    if entry.listener in ("binding", "bound"):
        draft.commands.append(CloseListener(entry.name))
    state = move(LISTENER, entry.listener, "session lost")
    draft.put_tunnel(entry, listener=state, addresses=(), notes=(), bind_trouble=None)
