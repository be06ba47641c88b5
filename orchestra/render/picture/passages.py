"""Where a dial passes: the hosts and networks on its way, and what decides at each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph import judge, reasons
from orchestra.model.address import parse_ip
from orchestra.model.frozen import dataclass
from orchestra.render.picture.scene import Mark, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import Dialer, Judgement, Step, World
    from orchestra.model.plan import Dial
    from orchestra.model.topology import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A dial on its way. ``marks`` stand each with the host where it is decided."""

    way: tuple[Stop, ...]
    label: int
    denied: int | None
    marks: tuple[tuple[str, Mark], ...]


def passage(world: World, dialer: Dialer, dial: Dial, protocol: str) -> Passage:
    """The way of a dial that a plan made, and what it meets there."""
    end = Stop(dial.means or f"{dial.by}>{dial}")
    start = Stop(dial.by)
    passes = all(reason.passes for reason in dial.reasons)
    judged = _judged(world, dialer, dial, protocol)
    stops = _stops(world, start, end, judged) if judged else (start, end)
    marks = tuple(_marks(judged)) if judged else ()
    if passes:  # what is believed passes, whatever the networks say
        marks = tuple((at, mark) for at, mark in marks if mark.passes)
    else:
        marks += tuple(_further(world, dial, judged))
    if start == end or (judged and any(step.kind == "own" for step in judged.steps)):
        stops = (start,)
    return Passage(way=stops, label=_label(world, dial, stops), denied=_denied(stops, marks, passes), marks=marks)


def _judged(world: World, dialer: Dialer, dial: Dial, protocol: str) -> Judgement | None:
    if dial.host is None or dial.port is None:
        return None
    return judge(world, dialer, dial.host, dial.port, protocol, meant=dial.means)


def _stops(world: World, start: Stop, end: Stop, judged: Judgement) -> tuple[Stop, ...]:
    """Host, network, host, network, host: as far as the way is known."""
    link = next((step.detail for step in judged.steps if step.kind == "network"), None)
    if link is None:
        return (start, end)
    stops, last = [start, Stop(link, zone=True)], None
    for step in judged.steps:
        if step.kind not in ("rules", "nat") or step.at == last or step.at == end.name:
            continue
        if last is not None:
            stops += [Stop(zone, zone=True) for zone in _between(world, last, step.at)]
        stops.append(Stop(step.at))
        last = step.at
    if last is not None:
        stops += [Stop(zone, zone=True) for zone in _between(world, last, end.name, _arrival(judged))]
    return (*stops, end)


def _between(world: World, one: str, other: str, known: str | None = None) -> tuple[str, ...]:
    """The network by which a firewall hands on, when there is one."""
    shared = sorted(set(world.networks_of(one)) & set(world.networks_of(other)))
    if known in world.networks_of(one):
        return (known,) if known else ()
    return tuple(shared[:1])


def _arrival(judged: Judgement) -> str | None:
    return next((step.flow.destination.network for step in reversed(judged.steps) if step.flow), None)


def _label(world: World, dial: Dial, stops: tuple[Stop, ...]) -> int:
    """The first host on the way that has the dialed address; the last one when none has."""
    address = parse_ip(dial.host or "")
    hosts = ((index, stop.name) for index, stop in enumerate(stops) if index and not stop.zone)
    return next((index for index, name in hosts if address in world.addresses.get(name, ())), len(stops) - 1)


def _denied(stops: tuple[Stop, ...], marks: tuple[tuple[str, Mark], ...], passes: bool) -> int | None:
    if passes:
        return None
    at = {name for name, mark in marks if not mark.passes}
    return next((index for index, stop in enumerate(stops) if stop.name in at and not stop.zone), 0)


def _marks(judged: Judgement) -> Iterator[tuple[str, Mark]]:
    for step in judged.steps:
        if text := _said(step):
            yield step.at, Mark(text=text, passes=step.passes, place=step.place)


def _said(step: Step) -> str:
    """What decides, in a few words."""
    match step.kind:
        case "rules" | "inbound":
            text = _rule(step.rule) if step.rule else f"no rule allows {step.flow.port}" if step.flow else "no rule"
            return f"inbound: {text}" if step.kind == "inbound" else text
        case "nat" if step.entry:
            return f"nat {step.entry.port} → {step.entry.host}:{step.entry.to_port}"
        case "hidden":
            return f"masquerades {step.detail}"
        case "hairpin":
            return f"sends it back to {step.detail}"
        case "stuck":
            return step.detail
    return ""


def _rule(rule: Rule) -> str:
    return rule.name or f"rule {rule.index + 1}: {rule.action}"


def _further(world: World, dial: Dial, judged: Judgement | None) -> Iterator[tuple[str, Mark]]:
    """What stands against it beside networks and firewalls: an sshd, an address that means somebody else."""
    known = {reason.text for reason in reasons(world, judged)} if judged else set()
    for reason in dial.reasons:
        if not reason.passes and reason.text not in known:
            yield dial.by, Mark(text=reason.text, passes=False, place=reason.place)
