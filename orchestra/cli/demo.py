"""``orchestra demo``: a topology at work in a lab on this machine, with proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.errors import report
from orchestra.cli.exits import Exit
from orchestra.cli.options import Source
from orchestra.cli.reading import Planned, read_plan
from orchestra.lab.kind import LabKind

if TYPE_CHECKING:
    from orchestra.assembly.demo import Page
    from orchestra.lab.interface import Lab


def demo(
    console: Console,
    source: Source,
    lab: Annotated[
        LabKind | None, typer.Option("--lab", help="Which lab. Default: netns where this machine can, else embedded.")
    ] = None,
) -> int:
    """Show a topology at work on this machine, with proof.

    Its other hosts are made in a lab: one dial is tried without orchestra, then the tunnels are opened, used and
    closed, and the firewalls' own counters tell what passed them.
    """
    import asyncio

    from orchestra.render.plan_text import plan_text

    planned = read_plan(source, ssh_config=False)
    kind = lab or _best_lab(console)
    console.data(plan_text(planned.plan, console.out.style))
    report(planned.plan.diagnostics, planned.read.sources, console)
    if any(tunnel.verdict == "unreachable" for tunnel in planned.plan.tunnels):
        return Exit.UNREACHABLE
    return asyncio.run(_show(console, planned, kind))


def _best_lab(console: Console) -> LabKind:
    from orchestra.lab.netns import available

    if (reason := available()) is None:
        return LabKind.NETNS
    console.say(f"no network namespaces here ({reason}), so the lab is embedded in this process")
    return LabKind.EMBEDDED


async def _show(console: Console, planned: Planned, kind: LabKind) -> int:
    from orchestra.assembly import launch

    console.data(f"\nEvery other host of the file is made on this machine now (lab: {kind}).\n")
    async with launch.open_lab(kind, planned.read.topology, planned.plan.client) as lab:
        proven = await _prove(console, planned, lab)
    console.data("\nEverything is closed again.")
    return Exit.DONE if proven else Exit.FAILED


async def _prove(console: Console, planned: Planned, lab: Lab) -> bool:
    from orchestra.assembly import demo as steps
    from orchestra.render.progress import progress_line

    plan, style = planned.plan, console.out.style
    for tunnel in plan.tunnels:
        if outcome := await steps.without(tunnel, plan, lab):
            console.data(f"without orchestra   {outcome}")
    console.data("")
    pages = await steps.carry(
        plan, lab, planned.read.plugins, lambda event: console.data(progress_line(event, style) or "")
    )
    console.data("")
    wanted = steps.sample_digest()
    for page in pages:
        console.data(_said(page, genuine=page.digest == wanted))
    console.data(f"passed the firewalls   {steps.what_passed(await lab.counters())}")
    return bool(pages) and all(page.digest == wanted for page in pages)


def _said(page: Page, *, genuine: bool) -> str:
    speed = page.received / page.seconds / 1e6
    bytes_ = f"{page.received >> 20} MiB at {speed:.0f} MB/s, {'bit for bit' if genuine else 'DAMAGED'}"
    return f"through orchestra   {page.user} dials {page.address}: “{page.text}”; then {bytes_}"
