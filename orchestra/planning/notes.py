"""What a reader of a plan should know although nothing is wrong: assumptions, exposure, missing protection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.model.address import WILDCARD
from orchestra.planning.dials import attempt, problems_of
from orchestra.planning.listen import listening_problems
from orchestra.planning.sessions import hop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.diagnostics import Place
    from orchestra.planning.context import Context
    from orchestra.planning.dials import Attempt
    from orchestra.planning.tunnels import Request, Solution


LITERALS = {WILDCARD: ("0.0.0.0", "::")}  # noqa: S104
"""What a listener of datagrams binds; by TCP too the server is asked for each."""


def notes_of(context: Context, request: Request, solution: Solution) -> tuple[Diagnostic, ...]:
    """Everything there is to say about a tunnel that can be carried."""
    return (
        *solution.listen.notes,
        *_unprotected(context, request, solution),
        *_helpers(context, request, solution),
        *_not_by_tcp(context, request, solution),
        *assumptions(_dials(context, solution), request.tunnel.place, request.tunnel.name),
    )


def no_other_path(request: Request) -> Diagnostic:
    """A tunnel that may take another path has none."""
    return Diagnostic(
        code=Code.NO_OTHER_PATH,
        severity="info",
        message=f"{request.tunnel.name} has `failover: true`, and no other path that does without a server of this one",
        place=request.tunnel.place,
        tunnel=request.tunnel.name,
    )


def _unprotected(context: Context, request: Request, solution: Solution) -> Iterator[Diagnostic]:
    """Direct: no SSH session protects what is carried."""
    made = solution.dial
    if solution.entry.servers or solution.exit.servers or made is None:
        return
    if made.means is not None and context.world.same_machine(made.means, context.here):
        return
    yield Diagnostic(
        code=Code.UNPROTECTED_DIRECT,
        severity="info",
        message=f"{context.here} dials {made.service.name} itself: no SSH session protects this connection",
        place=request.tunnel.place,
        suggestion="write `via:` with a server to send it through a session",
        tunnel=request.tunnel.name,
    )


def _helpers(context: Context, request: Request, solution: Solution) -> Iterator[Diagnostic]:
    """UDP at a server is carried by a command that runs there, which takes more, and is held by less, than forwards."""
    kind = context.kind(request.tunnel.kind)
    if not kind.datagrams:
        return
    ends = (solution.entry,) if kind.by_tcp(request.tunnel.options) == "only" else (solution.entry, solution.exit)
    for server in dict.fromkeys(chain.servers[-1] for chain in ends if chain.servers):
        yield Diagnostic(
            code=Code.HELPER_NEEDED,
            severity="info",
            message=f"{server} runs a helper that carries UDP, for as long as the session lasts: it needs python3 or "
            "perl there, and one channel; what sshd permits to be forwarded does not bind it",
            place=request.tunnel.place,
            tunnel=request.tunnel.name,
        )


def _not_by_tcp(context: Context, request: Request, solution: Solution) -> Iterator[Diagnostic]:
    """What is entered and dialed by TCP too may find less there than datagrams do; those are carried all the same."""
    service, tunnel, listen = request.service, request.tunnel, solution.listen.planned
    if service is None or context.kind(tunnel.kind).by_tcp(tunnel.options) != "too":
        return
    binds = tuple(replace(bind, host=host) for bind in listen.binds for host in LITERALS.get(bind.host, (bind.host,)))
    entered = listening_problems(context, tunnel, listen.at, binds, by_helper=False)
    made = attempt(context, solution.exit.place(context.here), replace(service, protocol="tcp"))
    dialed = problems_of(context, made)
    for problem, what in [
        *((each, f"nobody can ask for {service.name} by TCP") for each in entered[:1]),
        *((each, f"what is asked by TCP does not reach {service.name}") for each in dialed[:1]),
    ]:
        yield Diagnostic(
            code=problem.code,
            severity="info",
            message=f"{what}: {problem.text}",
            place=problem.place or tunnel.place,
            suggestion=problem.suggestion,
            tunnel=tunnel.name,
        )


def assumptions(dials: Iterable[Attempt], place: Place | None, tunnel: str | None = None) -> Iterator[Diagnostic]:
    """What the dials of a path rest on that was not read."""
    for made in dials:
        for code in made.judgement.assumed if made.judgement else ():
            what = "resolves and reaches" if code is Code.ASSUMED_NAME_RESOLVES else "reaches"
            yield Diagnostic(
                code=code,
                severity="info",
                message=f"assumed: {made.dialer} {what} {made.text} ({made.service.name}); nobody declared it",
                place=made.service.place or place,
                tunnel=tunnel,
            )


def _dials(context: Context, solution: Solution) -> Iterator[Attempt]:
    """Every dial of a solution, sessions first."""
    for chain in (solution.entry, solution.exit):
        for index, server in enumerate(chain.servers):
            yield hop(context, chain.servers[index - 1] if index else context.here, server)
    if solution.dial is not None:
        yield solution.dial
    if solution.user is not None:
        yield solution.user
