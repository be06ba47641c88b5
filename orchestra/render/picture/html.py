"""A placed scene as one HTML page without outside references: a list of tunnels, and the picture beside it.

Choosing a tunnel lights its path and shows its ladder with every reason. All text is written, escaped, by this module;
the script only shows and hides. The page's own policy (CSP) allows nothing but its one style and its one script.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from orchestra.render.layout import joined, line_of
from orchestra.render.picture.compose import acts
from orchestra.render.picture.page import PAGE_STYLE, SCRIPT
from orchestra.render.picture.svg import attribute, svg, text
from orchestra.render.picture.theme import STYLE
from orchestra.render.plan_text import missing_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra.diagnostics import Diagnostic
    from orchestra.model.plan import Plan, PlannedTunnel, Reason
    from orchestra.render.picture.arrange import Placed
    from orchestra.render.picture.compose import Act

_SIGNS = {"reachable": ("good", "✔"), "unreachable": ("bad", "✘"), "elsewhere": ("quiet", "○")}
_VERBS = {"session": "opens a session to", "use": "uses", "dial": "dials"}


def html(placed: Placed, plan: Plan) -> str:
    """The whole page."""
    style, name = STYLE + PAGE_STYLE, text(placed.scene.title)
    steps = _steps_of(plan)
    notes: dict[str | None, list[Diagnostic]] = defaultdict(list)
    for diagnostic in plan.diagnostics:
        notes[diagnostic.tunnel].append(diagnostic)
    tunnels = "".join(
        _item(index, tunnel, "".join(_ladder(tunnel, steps[tunnel.name], notes[tunnel.name])))
        for index, tunnel in enumerate(plan.tunnels)
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, SCRIPT)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name} · orchestra</title><style>{style}</style></head><body>",
        f'<aside><h1>{name}</h1><p class="quiet">{text(placed.scene.subtitle)}</p>',
        f'<nav aria-label="Tunnels"><ul>{tunnels}</ul></nav>' if tunnels else "",
        "</aside>",
        f'<main tabindex="-1">{svg(placed, alone=False)}</main>',
        f"<script>{SCRIPT}</script></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _policy(style: str, script: str) -> str:
    return f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; base-uri 'none'"


def digest(source: str) -> str:
    """What a policy (CSP level 2) calls an inline style or script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


# -- one tunnel -------------------------------------------------------------------------------------------------------


def _item(index: int, tunnel: PlannedTunnel, ladder: str) -> str:
    """A button, and what it opens."""
    look, sign = _SIGNS[tunnel.verdict]
    verdict = (tunnel.direction if tunnel.verdict == "reachable" else tunnel.verdict) or ""
    name = text(tunnel.name)
    return (
        f'<li><button type="button" aria-expanded="true" aria-controls="ladder-{index}" '
        f'data-tunnel="{attribute(tunnel.name)}"><span class="{look}">{sign}</span> <b>{name}</b> '
        f'<span class="quiet">{text(verdict)}</span></button>'
        f'<section id="ladder-{index}" aria-label="{attribute(tunnel.name)}">{ladder}</section></li>'
    )


def _steps_of(plan: Plan) -> Mapping[str, list[Act]]:
    """By tunnel, in the order in which they happen."""
    found: dict[str, list[Act]] = defaultdict(list)
    for act in sorted(acts(plan), key=lambda act: act.step):
        for name in () if act.spare else act.tunnels:
            found[name].append(act)
    return found


def _ladder(tunnel: PlannedTunnel, steps: Iterable[Act], notes: Iterable[Diagnostic]) -> Iterator[str]:
    if tunnel.held_by and tunnel.verdict == "elsewhere":
        yield f"<p>held by {text(tunnel.held_by)}, not opened here</p>"
    if tunnel.listen is not None:
        exposed = ' <span class="bad">⚠ exposed beyond loopback</span>' if tunnel.listen.exposed else ""
        addresses = text(joined(tunnel.listen.addresses))
        yield f'<p><b>{text(tunnel.listen.at)}</b> listens on <span class="mono">{addresses}</span>{exposed}</p>'
    yield from _listed("ol", map(_step, steps))
    if tunnel.direction == "direct" and tunnel.verdict == "reachable":
        yield '<p class="bad">⚠ unprotected: no SSH session carries it</p>'
    if tunnel.instead:
        yield "<p>Without any change:</p>"
        yield from _listed("ul", map(text, tunnel.instead))
    if tunnel.missing:
        yield "<p>What would have to change:</p>"
        yield from _listed("ul", (text(missing_text(missing)) for missing in tunnel.missing))
    if tunnel.alternatives:
        yield "<p>Other ways:</p>"
        yield from _listed("ul", (text(joined(other.path, " → ")) for other in tunnel.alternatives))
    yield from _listed("ul", map(_note, notes), "notes")


def _listed(tag: str, items: Iterable[str], look: str = "") -> Iterator[str]:
    if content := "".join(f"<li>{item}</li>" for item in items):
        yield f'<{tag} class="{look}">{content}</{tag}>' if look else f"<{tag}>{content}</{tag}>"


def _step(act: Act) -> str:
    dial = act.dial
    look = act.kind if all(reason.passes for reason in dial.reasons) else "denied"
    means = f"<b>{text(dial.means)}</b>" if dial.means else "? (not declared)"
    reasons = "".join(_listed("ul", map(_reason, dial.reasons)))
    return (
        f'<span class="step {look}">{act.step}</span> <b>{text(dial.by)}</b> {_VERBS[act.kind]} '
        f'<span class="mono">{text(str(dial))}</span> = {means}{reasons}'
    )


def _reason(reason: Reason) -> str:
    look, sign = ("quiet", "") if reason.hint else ("good", "✔") if reason.passes else ("bad", "✘")
    where = f' <span class="quiet">{text(line_of(reason.place))}</span>' if reason.place else ""
    return f'<span class="{look}">{sign}</span> {text(reason.text)}{where}'


def _note(diagnostic: Diagnostic) -> str:
    hint = f"; {text(diagnostic.suggestion)}" if diagnostic.suggestion else ""
    where = f' <span class="quiet">{text(line_of(diagnostic.place))}</span>' if diagnostic.place else ""
    return f"<b>{diagnostic.code}</b> {text(diagnostic.message)}{hint}{where}"
