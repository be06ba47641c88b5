"""The picture of what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology


def draw(topology: Topology, plan: Plan) -> str | None:
    """The plan as SVG, as a part of a page that has the style; None where the library that places it is missing."""
    from orchestra.render.picture import arrange, compose, fold, svg

    try:
        return svg(arrange(fold(compose(topology, plan))), alone=False)
    except OrchestraError:
        return None
