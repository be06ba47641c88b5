"""The plan as ladders: for every tunnel who dials which address, and whom it means there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.render.style import PLAIN, Style

if TYPE_CHECKING:
    from orchestra.model.plan import Plan


def plan_text(plan: Plan, style: Style = PLAIN) -> str:
    """The whole plan."""
    return "\n".join(style("name", tunnel.name) for tunnel in plan.tunnels)
