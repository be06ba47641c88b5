"""Why a tunnel has no path: a complete one with everything that is denied on it, and the least that would open it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.model.address import Endpoint
from orchestra.model.frozen import dataclass
from orchestra.planning.dials import as_dial, problems_of
from orchestra.planning.entry import entries
from orchestra.planning.explaining.least import SMALL, least
from orchestra.planning.explaining.offers import reverse_offers
from orchestra.planning.explaining.permissions import change_of
from orchestra.planning.explaining.question import Ground
from orchestra.planning.problems import SUGGESTIONS
from orchestra.planning.tunnels import solve

if TYPE_CHECKING:
    from orchestra.model.plan import Dial, Missing
    from orchestra.planning.context import Context
    from orchestra.planning.dials import Attempt
    from orchestra.planning.entry import Entry
    from orchestra.planning.problems import Problem
    from orchestra.planning.tunnels import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """The answer for a tunnel without a path."""

    entry: Entry | None
    path: tuple[str, ...]
    dials: tuple[Dial, ...]
    missing: tuple[Missing, ...]
    """Empty when no permission would open it."""
    instead: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def explain_blocked(context: Context, request: Request, *, free_ports: bool) -> Blocked:
    """The complete path that lacks the fewest permissions."""
    entry = _entry(context, request, free_ports=free_ports)
    at = entry.at if entry else context.here
    lacking = least(
        context,
        request.service,
        at=at,
        exit_=request.exit,
        via=request.tunnel.via,
        avoid=frozenset(request.tunnel.avoid),
    )
    attempts = lacking.attempts(context)
    if entry is not None and entry.user is not None:
        attempts = (*attempts, entry.user)
    problems = _problems(context, request, entry, attempts)
    return Blocked(
        entry=entry,
        path=lacking.path(context),
        dials=tuple(as_dial(context, made) for made in attempts),
        missing=_missing(problems),
        instead=_instead(context, request),
        diagnostics=(
            *_constraints(context, request, free_ports=free_ports),
            *(_diagnostic(request, problem) for problem in problems),
        ),
    )


def _missing(problems: tuple[Problem, ...]) -> tuple[Missing, ...]:
    needed: dict[Missing, Missing] = {}
    for problem in problems:
        if problem.missing is None:
            return ()
        needed.setdefault(change_of(problem.missing), problem.missing)
    return tuple(needed.values())


def _instead(context: Context, request: Request) -> tuple[str, ...]:
    """Ways in the other direction; in a large file `orchestra explain` looks for them."""
    tunnel, target = request.tunnel, request.tunnel.to
    own = {tunnel.from_ or context.here, tunnel.at or context.here} == {context.here}
    if target is None or request.problems or not own or len(context.servers) > SMALL:
        return ()
    ground = Ground(context.topology, context.here, context.vocabulary, context.world)
    return tuple(offer.text for offer in reverse_offers(ground, context, target))


def _entry(context: Context, request: Request, *, free_ports: bool) -> Entry | None:
    """The entry with the least against it."""
    options = entries(context, request.tunnel, request.service, free_ports=free_ports)
    return min(options, key=lambda each: each.weight, default=None)


def _problems(
    context: Context, request: Request, entry: Entry | None, attempts: tuple[Attempt, ...]
) -> tuple[Problem, ...]:
    listen = entry.listen.problems if entry else ()
    on_path = tuple(_said_of(made, problem) for made in attempts for problem in problems_of(context, made))
    return tuple(dict.fromkeys((*request.problems, *listen, *on_path)))


def _said_of(made: Attempt, problem: Problem) -> Problem:
    """The problem, with who dials what in front."""
    if made.text is None:
        return problem
    return replace(
        problem,
        text=f"{made.dialer} cannot dial {Endpoint(made.text, made.port)} ({made.service.name}): {problem.text}",
    )


def _constraints(context: Context, request: Request, *, free_ports: bool) -> tuple[Diagnostic, ...]:
    """Whether the tunnel's own `via` or `avoid` excludes every path."""
    tunnel = request.tunnel
    found = []
    for key, code, value in (
        ("via", Code.VIA_UNSATISFIED, tunnel.via),
        ("avoid", Code.AVOID_UNSATISFIED, tunnel.avoid),
    ):
        if not value:
            continue
        freed = replace(tunnel, via=()) if key == "via" else replace(tunnel, avoid=())
        free = solve(context, replace(request, tunnel=freed), free_ports=free_ports)
        if free is None:
            continue
        path = " → ".join(free.path(context.here))
        found.append(
            Diagnostic(
                code=code,
                severity="error",
                message=f"{tunnel.name} has paths, but none with `{key}: [{', '.join(value)}]`",
                place=context.topology.place_of("tunnels", tunnel.name, key) or tunnel.place,
                path=f"tunnels.{tunnel.name}.{key}",
                suggestion=f"leave `{key}` out, or change it: {path} would do",
                tunnel=tunnel.name,
            )
        )
    return tuple(found)


def _diagnostic(request: Request, problem: Problem) -> Diagnostic:
    hint = problem.suggestion
    if default := SUGGESTIONS.get(problem.code):
        hint = f"{default} ({hint})" if hint else default
    return Diagnostic(
        code=problem.code,
        severity="error",
        message=problem.text,
        place=problem.place or request.tunnel.place,
        suggestion=hint,
        tunnel=request.tunnel.name,
    )
