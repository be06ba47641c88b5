"""An explanation as a picture: its one path, with everything that is denied on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.model.plan import Plan, PlannedTunnel
from orchestra.model.text import clean
from orchestra.model.topology import Tunnel
from orchestra.render.picture.compose import compose

if TYPE_CHECKING:
    from orchestra.model.topology import Topology
    from orchestra.planning.explaining.explanation import Explanation
    from orchestra.render.picture.scene import Scene


def compose_answer(topology: Topology, explanation: Explanation) -> tuple[Scene, Plan]:
    """The scene, and the plan of one nameless tunnel that it shows."""
    name = f"{explanation.from_}→{explanation.to}"
    answer = PlannedTunnel(
        name=name,
        kind="tcp",
        verdict=explanation.verdict,
        spec=Tunnel(name=name, to=explanation.to),
        protocol=explanation.protocol,
        direction=explanation.direction,
        path=explanation.path,
        blocked=tuple(leg.dial for leg in explanation.legs),
        missing=explanation.missing,
        instead=tuple(offer.text for offer in explanation.offers),
    )
    asked = explanation.dialer
    client = asked if asked in topology.hosts else next(iter(topology.clients), "localhost")
    plan = Plan(topology=topology.name, client=client, tunnels=(answer,))
    title, subtitle = f"{explanation.from_} → {explanation.to}", f"{explanation.verdict} · {topology.name}"
    return replace(compose(topology, plan), title=clean(title), subtitle=clean(subtitle)), plan
