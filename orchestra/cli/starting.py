"""What ``up`` and ``run`` share: their options, the refusal of a plan that cannot be carried out, and their endings."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.errors import explain, report
from orchestra.cli.exits import Exit, exit_of_error, exit_of_plan
from orchestra.cli.options import AllowExec, Selection, Source
from orchestra.cli.reading import Edits, read_plan
from orchestra.diagnostics import Code
from orchestra.errors import OrchestraError, UsageError
from orchestra.lab.kind import LabKind
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.assembly.readiness import GaveUp
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology
    from orchestra.planning.disclosure import Disclosure
    from orchestra.plugin.manager import Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """How it is brought up."""

    lab: Annotated[
        LabKind | None,
        typer.Option(
            "--lab", help="Run the topology's other hosts on this machine. Default without a value: embedded."
        ),
    ] = None
    partial: Annotated[bool, typer.Option("--partial", help="Leave out what is unreachable by the model.")] = False
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End at the first failure.")] = False
    allow_exec: AllowExec = False


def with_default_lab(arguments: Sequence[str]) -> list[str]:
    """The arguments with a value for ``--lab``, where ``up`` or ``run`` has it without one."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = list(arguments)
    if given[:1] not in (["up"], ["run"], ["demo"]):
        return given
    for index in range(end):
        if given[index] == "--lab" and (index + 1 == end or given[index + 1] not in set(LabKind)):
            given[index] = f"--lab={LabKind.EMBEDDED}"
    return given


class Refused(OrchestraError):
    """The plan cannot be carried out; everything has been said. ``code`` is the exit code."""

    def __init__(self, code: Exit) -> None:
        super().__init__("the plan cannot be carried out")
        self.code = code


def prepare(
    console: Console,
    source: Source,
    selection: Selection,
    starting: Starting,
    *,
    plugins: Plugins | None = None,
    name: str | None = None,
    free_ports: bool = False,
    environment: bool = False,
    edits: Edits | None = None,
) -> Launch:
    """What is to be brought up. Nothing has been opened yet, and what it does besides its tunnels is still to be said
    (:func:`disclose`). Raises Refused after saying why, TopologyInvalid, …

    ``plugins``: those that the source names, when they are loaded already.
    ``environment``: the tunnels' variables will be a command's.
    """
    from orchestra.assembly.launch import Launch, reachable_part
    from orchestra.planning.disclosure import disclosures

    # a lab has its own keys and names, so that nothing of the user's is read for it
    planned = read_plan(
        source,
        selection,
        plugins=plugins,
        free_ports=free_ports,
        ssh_config=starting.lab is None,
        allow_exec=starting.allow_exec,
        edits=edits,
    )
    plan, read = planned.plan, planned.read
    # what is exposed is said below, with the rest of what a file does
    report(tuple(d for d in plan.diagnostics if d.code is not Code.LISTEN_EXPOSED), read.sources, console)
    part = reachable_part(plan)
    _require_whole(console, plan, part, partial=starting.partial)
    if not plan.tunnels and read.topology.tunnels:
        raise UsageError(f"every tunnel of {read.topology.file} has a profile: name one with -t, or its --profile")
    if starting.lab is LabKind.EMBEDDED:
        _refuse_in_process(part)
    refuse_commands(part, allowed=starting.allow_exec)
    return Launch(
        name=name or read.topology.name,
        plan=part,
        topology=read.topology,
        lab=starting.lab,
        disclosures=disclosures(part, read.topology, environment=environment, in_lab=starting.lab is not None),
    )


def _require_whole(console: Console, plan: Plan, part: Plan, *, partial: bool) -> None:
    """Raises Refused for what keeps the plan, or with ``partial`` what can be reached of it, from being carried out."""
    code = exit_of_plan(plan)
    if code is Exit.UNREACHABLE and part.tunnels:
        if partial:
            return
        console.error("nothing was opened; --partial opens the tunnels that are reachable")
    if code:
        raise Refused(code)


def _refuse_in_process(plan: Plan) -> None:
    """Raises UsageError for what the embedded lab does not have."""
    for what, names in (("unix sockets", _over_unix(plan)), ("UDP", _over_udp(plan))):
        if names:
            raise UsageError(
                f"the hosts of the embedded lab have no {what}, which {', '.join(names)} would need: "
                "use --lab netns, or choose other tunnels with -t"
            )


def refuse_commands(plan: Plan, *, allowed: bool) -> None:
    """Raises UsageError for the first program that a tunnel runs here, where the user does not allow it."""
    from orchestra.planning.disclosure import commands_of

    for tunnel in plan.tunnels if not allowed else ():
        for command in commands_of(tunnel):
            place = tunnel.spec.check.place or tunnel.spec.place
            raise UsageError(
                f"{place}: the tunnel {tunnel.name} runs `{clean(shlex.join(command.argv))}` on this machine: "
                "allow it with --allow-exec or ORCHESTRA_ALLOW_EXEC=1, or write `check: none`"
            )


def _over_unix(plan: Plan) -> list[str]:
    """Tunnels that end or begin at a unix socket of another host."""
    return [
        tunnel.name
        for tunnel in plan.tunnels
        if (tunnel.listen and tunnel.listen.unix and tunnel.listen.session is not None)
        or (tunnel.dial and tunnel.dial.path is not None and tunnel.dial.by != plan.client)
    ]


def _over_udp(plan: Plan) -> list[str]:
    return [tunnel.name for tunnel in plan.tunnels if tunnel.protocol == "udp"]


def disclose(console: Console, topology: Topology, found: Sequence[Disclosure]) -> None:
    """What will be run, read, set, believed or exposed, before any of it is."""
    from orchestra.render.disclosure_text import disclosure_text

    console.say(disclosure_text(topology.file, found, console.err.style))


def told(console: Console, work: Callable[[], int], *, failed: Exit = Exit.FAILED) -> int:
    """The exit code of work that may end early; what ended it is said, unless it was a signal.

    ``failed`` is the code for failures that have none of their own.
    """
    from orchestra.assembly.readiness import GaveUp, TakenDown
    from orchestra.assembly.signals import Interrupted

    try:
        return work()
    except Refused as refused:
        code = refused.code
    except Interrupted as interrupted:
        return 128 + interrupted.signum
    except GaveUp as error:
        return say_gave_up(console, error)
    except OrchestraError as error:
        console.error(explain(error, console))
        code = Exit.TERMINATED if isinstance(error, TakenDown) else exit_of_error(error)
    return failed if code is Exit.FAILED else code


def say_gave_up(console: Console, error: GaveUp) -> int:
    """Says what is still waited for; the exit code of a timeout."""
    helps = (f"help: {suggestion}" for suggestion in error.suggestions)
    lines = (f"  {clean(line, 1000)}" for line in (*error.waiting, *helps))
    console.error("\n".join([explain(error, console), *lines]))
    return Exit.TIMEOUT
