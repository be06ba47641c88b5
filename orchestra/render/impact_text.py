"""What would be lost, for people.

::

    ✘  wiki     lost: no other path: bastion-b has no rule that allows …
    ↷  desk     laptop → bastion-b → inner  instead of laptop → bastion-a → inner
    =  reports  not touched

    out of reach of laptop: wiki-gate

    without bastion-a: 1 lost, 1 has another path, 1 not touched
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.layout import Cell, Row, cell, joined, table
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.model.plan import PlannedTunnel
    from orchestra.planning.impact import Impact, ImpactVerdict, TunnelImpact

_MARKS: Mapping[ImpactVerdict, Cell] = {
    "lost": (("bad", "✘"),),
    "rerouted": (("warn", "↷"),),
    "gained": (("good", "✔"),),
    "unreachable": (("quiet", "○"),),
    "untouched": (("quiet", "="),),
}
"""In the order in which they are told."""


def impact_text(impact: Impact, style: Style = PLAIN) -> str:
    """Every tunnel, then the servers out of reach and the totals."""
    rows = [_row(each) for verdict in _MARKS for each in impact.tunnels if each.verdict == verdict]
    lines = table(rows, style, indent="")
    if impact.servers:
        lines += ["", f"out of reach of {clean(impact.client)}: {joined(impact.servers)}"]
    return "\n".join([*lines, *([""] if lines else []), totals(impact, style)])


def totals(impact: Impact, style: Style = PLAIN) -> str:
    """``without bastion-a: 1 lost, 2 have another path, 5 not touched``."""
    counts = Counter(tunnel.verdict for tunnel in impact.tunnels)
    others = "has" if counts["rerouted"] == 1 else "have"
    words: tuple[tuple[ImpactVerdict, Role, str], ...] = (
        ("lost", "bad", "lost"),
        ("rerouted", "warn", f"{others} another path"),
        ("gained", "good", "gained"),
        ("unreachable", "quiet", "unreachable anyway"),
        ("untouched", "quiet", "not touched"),
    )
    told = [style(role, f"{counts[verdict]} {text}") for verdict, role, text in words if counts[verdict]]
    accounts = [name for name in impact.gone if name not in impact.without]
    also = f" (and {joined(accounts)}, the same machine)" if accounts else ""
    return f"without {joined(impact.without)}{also}: {', '.join(told) or 'there are no tunnels to lose'}"


def _row(tunnel: TunnelImpact) -> Row:
    return _MARKS[tunnel.verdict], cell(tunnel.name, "name"), _said(tunnel)


def _said(tunnel: TunnelImpact) -> Cell:
    match tunnel.verdict:
        case "lost":
            return cell(f"lost: {tunnel.reason}")
        case "rerouted" if tunnel.after is not None:
            return _other_path(tunnel.before, tunnel.after)
        case "gained":
            return cell("has a path only without them")
        case "unreachable":
            return cell("has no path with them, either", "quiet")
        case _:
            return cell("not touched", "quiet")


def _other_path(before: PlannedTunnel, after: PlannedTunnel) -> Cell:
    if before.path != after.path:
        return (*cell(" → ".join(after.path)), ("quiet", f"  instead of {joined(before.path, ' → ')}"))
    if before.dial is not None and after.dial is not None and str(before.dial) != str(after.dial):
        return (*cell(f"{after.dial.by} dials {after.dial}"), ("quiet", f"  instead of {clean(str(before.dial))}"))
    return (*cell(" → ".join(after.path)), ("quiet", "  as before, by other firewalls or addresses"))
