"""What bringing a plan up does beside the tunnels: one short block."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.layout import cell, table
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestra.planning.disclosure import Disclosure

_ROLES: Mapping[str, Role] = MappingProxyType(
    {"runs": "warn", "reads": "note", "sets": "note", "trusts": "warn", "listens": "warn"}
)


def disclosure_text(file: str, disclosures: Sequence[Disclosure], style: Style = PLAIN) -> str:
    """::

        besides its tunnels, office.yaml
          runs     vault read -field=pw secret/gw      (the password for gateway)
          listens  *:8080 of gateway, beyond loopback  (the tunnel web)

    Empty when there is nothing to say.
    """
    if not disclosures:
        return ""
    rows = [
        (cell(each.deed, _ROLES[each.deed]), cell(_shown(each)), cell(f"({each.why})", "quiet")) for each in disclosures
    ]
    return "\n".join([f"besides its tunnels, {clean(file)}", *table(rows, style)])


def _shown(each: Disclosure) -> str:
    return f"{each.what}, beyond loopback" if each.deed == "listens" else each.what
