"""An explanation as a ladder: the verdict, what is in the way and what to do instead, then every step with its reason.

::

    ✘ laptop → desk-vnc · unreachable
      in the way  rule 'last' of edge denies laptop to gateway (10.20.0.2) port 22/tcp (office.yaml:9)
      no change   inside can listen at jump (localhost:5900), where laptop comes to it over its session to jump

      ✘ ssh   laptop   dials 10.20.0.2:22 = gateway
                       ✔ laptop leaves by internet
                       ✘ rule 'last' of edge denies laptop to gateway (10.20.0.2) port 22/tcp (office.yaml:9)
                         nearest: rule 'ops-ssh' (office.yaml:7)  from ✔  to ✔  port ✘ 2223  protocol ✔
      ✔ dial  gateway  dials 10.20.0.30:5900 = desk-vnc
                       ✔ gateway is on office itself
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.layout import EMPTY, Cell, Row, Span, cell, joined, line_of, table
from orchestra.render.plan_text import DENIED, PASSED, dial_address, missing_text
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import FieldMatch
    from orchestra.model.plan import Missing
    from orchestra.model.topology import Tunnel
    from orchestra.planning.explaining.explanation import Check, Explanation, Leg, NearRule

_INDENT = "  "
_MOST_DENIALS = 3


def explain_text(explanation: Explanation, style: Style = PLAIN) -> str:
    """The whole explanation. What a reader in a hurry needs comes first."""
    summary = [_heading(explanation, style), *table(list(_summary(explanation)), style, indent=_INDENT)]
    ladder = table([row for leg in explanation.legs for row in _leg(leg)], style, indent=_INDENT)
    sections = (
        ("without any change:", _instead(explanation)),
        ("what would have to change:", _changes(explanation)),
        ("shorter, and why not:", _rejected(explanation)),
        ("assumed:", _assumed(explanation)),
    )
    blocks = [summary, ladder, *(_section(title, rows, style) for title, rows in sections)]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _section(title: str, rows: Iterator[Row], style: Style) -> list[str]:
    lines = table(list(rows), style, indent=_INDENT * 2)
    return [_INDENT + style("quiet", title), *lines] if lines else []


# -- the answer -------------------------------------------------------------------------------------------------------


def _heading(explanation: Explanation, style: Style) -> str:
    role, mark = PASSED if explanation.reachable else DENIED
    pair = f"{explanation.from_} → {explanation.to}"
    asked = [f"via {', '.join(explanation.via)}"] if explanation.via else []
    asked += ["by one dial"] if explanation.direct else []
    facts = [explanation.verdict, *asked]
    return f"{style(role or 'name', mark)} {style('name', clean(pair))} · {clean(' · '.join(facts))}"


def _summary(explanation: Explanation) -> Iterator[Row]:
    if explanation.reachable:
        last = explanation.legs[-1].dial
        yield cell("path", "quiet"), (*cell(_way(explanation.path)), (None, " "), *dial_address(last))
        if explanation.unprotected:
            yield EMPTY, cell("⚠ unprotected: no SSH session carries it", "warn")
        return
    for index, check in enumerate(explanation.denials[:_MOST_DENIALS]):
        yield cell("" if index else "in the way", "quiet"), _said(check)
    more = len(explanation.denials) - _MOST_DENIALS
    if more > 0:
        yield EMPTY, cell(f"and {more} more, below", "quiet")
    for offer in explanation.offers[:1]:
        yield cell("no change", "good"), cell(offer.text)


def _way(path: tuple[str, ...]) -> str:
    return joined(path, " → ")


# -- steps ------------------------------------------------------------------------------------------------------------


def _leg(leg: Leg) -> Iterator[Row]:
    mark = PASSED if leg.passes else DENIED
    yield ((mark, (None, f" {leg.kind}")), cell(leg.dial.by), dial_address(leg.dial))
    for check in leg.checks:
        yield EMPTY, EMPTY, (PASSED if check.passes else DENIED, (None, " "), *_said(check))
        yield from ((EMPTY, EMPTY, row) for row in _beside(check))


def _said(check: Check) -> Cell:
    role: Role | None = "warn" if check.kind == "assumed" else "quiet" if check.passes else None
    return (role, clean(check.text)), ("quiet", _at(check))


def _at(found: Check | NearRule) -> str:
    return f" ({line_of(found.place)})" if found.place else ""


def _beside(check: Check) -> Iterator[Cell]:
    """Under a filter that denies: the rule for the other direction, then the nearest ones, field by field."""
    if check.opposite is not None:
        text = f"  the opposite way passes: {clean(check.opposite.rule)}"
        yield ("note", text), ("quiet", _at(check.opposite))
    for near in check.near:
        head: tuple[Span, ...] = (("quiet", "  nearest: "), (None, clean(near.rule)), ("quiet", _at(near)))
        if all(field.matches for field in near.fields):
            yield (*head, (None, "  matches, but stands after the rule that denies"))
        else:
            yield (*head, *(span for field in near.fields for span in _field(field)))


def _field(field: FieldMatch) -> Cell:
    if field.matches:
        return ("quiet", f"  {field.name} "), PASSED
    return ("quiet", f"  {field.name} "), DENIED, (None, f" {clean(field.rule)}")


# -- what else --------------------------------------------------------------------------------------------------------


def _changes(explanation: Explanation) -> Iterator[Row]:
    """Per denial what would do: a permission, with the rule as it would be written, or another topology."""
    for check in explanation.denials:
        if check.missing is not None:
            yield (cell(missing_text(check.missing)),)
            if check.missing.kind == "firewall":
                yield (((None, "  "), *cell(_rule(check.missing, check), "quiet")),)
        elif check.suggestion:
            yield (cell(check.suggestion),)
    if explanation.denials and not explanation.missing:
        yield (cell("no permission alone would do", "quiet"),)


def _rule(missing: Missing, check: Check) -> str:
    """The rule as it would be written in the file, and where: before the one that denies."""
    where = "as a rule" if missing.setting == "rules" else "as a rule of its inbound"
    where += f" in front of {check.rule}{_at(check)}" if check.rule else ""
    ports = f", ports: [{missing.port}]" if missing.port else ""
    protocol = f", protocol: {missing.protocol}" if missing.protocol != "tcp" else ""
    to = missing.to or missing.address or "any"
    return clean(f"{where}: {{allow: {{from: {_quoted(missing.from_)}, to: {_quoted(to)}{ports}{protocol}}}}}")


def _quoted(name: str) -> str:
    """As YAML reads it inside braces: an IPv6 address is quoted."""
    return f'"{name}"' if ":" in name else name


def _instead(explanation: Explanation) -> Iterator[Row]:
    """Ways that need no change: the first with all its dials, the others in a sentence."""
    for index, offer in enumerate(explanation.offers):
        yield (cell(offer.text),)
        if offer.tunnel is not None:
            yield (((None, "  "), *cell(f"in the file: {_tunnel(offer.tunnel)}", "quiet")),)
        for leg in () if index else (*offer.inner, *offer.outer):
            yield (((None, "  "), PASSED, (None, f" {leg.kind:<5}{clean(leg.dial.by)} "), *dial_address(leg.dial)),)


def _tunnel(tunnel: Tunnel) -> str:
    """As it would be written below ``tunnels:``."""
    return (
        f"{tunnel.name}: {{to: {tunnel.to}, by: {tunnel.by}, at: {tunnel.at}, listen: {_quoted(str(tunnel.listen))}}}"
    )


def _rejected(explanation: Explanation) -> Iterator[Row]:
    """Who would dial what in place of the path above, and the first thing that is in its way."""
    for rejected in explanation.rejected:
        dial = rejected.leg.dial
        way = f"{_way(rejected.path)}: " if len(rejected.path) > 1 else ""
        denials = rejected.leg.denials
        costs = cell(f"would do, but costs {rejected.cost} and not {explanation.cost}")
        why = _said(denials[0]) if denials else costs
        mark = DENIED if denials else PASSED
        yield ((mark, (None, f" {way}{clean(dial.by)} "), *dial_address(dial), (None, ": "), *why),)


def _assumed(explanation: Explanation) -> Iterator[Row]:
    for note in explanation.assumed:
        yield cell(note.code, "warn"), cell(note.message.removeprefix("assumed: "))
