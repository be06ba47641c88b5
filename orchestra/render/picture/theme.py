"""How a picture looks: colours for light and dark paper, lines that differ in more than colour, and the icons.

Colours are written out in every rule, the dark ones once more: many programs that show SVG know no variables of CSS.
Text has a contrast of at least 4.5:1 on what it stands on, lines 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.render.picture.scene import NodeKind

COLOURS = """
.orchestra{--paper:#ffffff;--ink:#1b2430;--quiet:#566273;--zone:#f3f6fa;--edge:#c3ccd8;--box:#ffffff;--frame:#77849a;
--session:#1d5fc4;--use:#7a3fb8;--dial:#0b7a55;--bad:#c02626;--good:#0b7a55;--spare:#6b7687;--wall:#fdf1e4;--brick:#a85b12;
--here:#e9f1fe;--service:#eaf7f1}
"""
DARK = """
.orchestra{--paper:#11161d;--ink:#e8edf4;--quiet:#a3afbf;--zone:#1a212b;--edge:#3b4757;--box:#232c38;--frame:#8290a5;
--session:#6fa8ff;--use:#c39bf2;--dial:#4fcf9f;--bad:#ff8080;--good:#4fcf9f;--spare:#94a1b4;--wall:#33281c;--brick:#e6a35c;
--here:#1d2d47;--service:#1b3329}
"""
SHAPES = """
.orchestra{font-family:Inter,"Segoe UI","Helvetica Neue",Helvetica,Arial,"Liberation Sans","DejaVu Sans",sans-serif;
font-size:11.5px}
.orchestra .paper{fill:var(--paper)}
.orchestra text{fill:var(--ink)}
.orchestra .title{font-size:18px;font-weight:600}
.orchestra .name{font-size:13px;font-weight:600}
.orchestra .mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
.orchestra text.quiet,.orchestra .quiet{fill:var(--quiet)}
.orchestra .good{fill:var(--good);font-weight:600}
.orchestra .bad{fill:var(--bad);font-weight:600}
.orchestra .zone rect{fill:var(--zone);stroke:var(--edge)}
.orchestra .zone .name{fill:var(--quiet);letter-spacing:.02em}
.orchestra .zone .mono{fill:var(--quiet)}
.orchestra .box,.orchestra .behind{fill:var(--box);stroke:var(--frame);stroke-width:1.2}
.orchestra .here .box{fill:var(--here);stroke:var(--session);stroke-width:2}
.orchestra .firewall .box{fill:var(--wall);stroke:var(--brick);stroke-width:1.6}
.orchestra .target .box{fill:var(--service);stroke:var(--dial)}
.orchestra .guest .box,.orchestra .unknown .box{stroke-dasharray:4 3}
.orchestra .icon{fill:none;stroke:var(--quiet);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.orchestra .here .icon{stroke:var(--session)}
.orchestra .firewall .icon{stroke:var(--brick)}
.orchestra .target .icon{stroke:var(--dial)}
.orchestra .wire{fill:none;stroke:var(--edge);stroke-width:2}
.orchestra .arrow .line{fill:none;stroke-width:1.8}
.orchestra .session .line{stroke-width:3.2}
.orchestra .use .line{stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:2.4}
.orchestra .label{fill:var(--paper);stroke-width:1.2}
.orchestra .badge{fill:var(--ink)}
.orchestra .number{fill:var(--paper);font-size:10px;font-weight:700;text-anchor:middle}
.orchestra .spare .line{stroke-dasharray:7 5}
.orchestra .beyond{opacity:.75}
.orchestra .line.beyond{stroke-dasharray:2 5}
.orchestra .stop circle{fill:var(--bad);stroke:var(--paper);stroke-width:2}
.orchestra .stop path{fill:none;stroke:var(--paper);stroke-width:2.2;stroke-linecap:round}
"""
_LINES = {"session": "session", "use": "use", "dial": "dial", "spare": "spare", "denied": "bad"}
"""What an arrow is, to the colour of its line; of two the later counts."""
_RULES = SHAPES + "".join(
    f".orchestra .{kind} .line,.orchestra .{kind} .label{{stroke:var(--{colour})}}\n"
    f".orchestra .{kind} .head,.orchestra .{kind} .badge{{fill:var(--{colour})}}\n"
    for kind, colour in _LINES.items()
)


def _coloured(rules: str, theme: str) -> str:
    colours = dict(re.findall(r"--(\w+):(#\w+)", theme))
    return re.sub(r"var\(--(\w+)\)", lambda found: colours[found[1]], rules)


_DARK_RULES = "\n".join(line for line in _RULES.splitlines() if "var(" in line)
STYLE = f"{_coloured(_RULES, COLOURS)}@media (prefers-color-scheme:dark){{\n{_coloured(_DARK_RULES, DARK)}\n}}\n"

_LAPTOP = "M2.5 3h11v7h-11z M1 12.5h14"
_RACK = "M2 2.5h12v4.5h-12z M2 9h12v4.5h-12z M4.5 4.7h.1 M4.5 11.2h.1"
_WALL = "M1.5 2.5h13v11h-13z M1.5 6.2h13 M1.5 9.8h13 M6 2.5v3.7 M11 6.2v3.6 M6 9.8v3.7"
_SERVICE = "M8 1.5l6 3.4v6.2l-6 3.4-6-3.4V4.9z M8 8l6-3.1 M8 8v6.5 M8 8L2 4.9"
_PEOPLE = "M8 8a2.7 2.7 0 1 0 0-5.4a2.7 2.7 0 0 0 0 5.4z M2.8 14c.6-2.9 2.7-4 5.2-4s4.6 1.1 5.2 4"
_QUESTION = "M5.5 5.8a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.8-1.1 1.7 M8 12.8h.1"
_STACK = "M4 2h10v8h-10z M2 5v8h10"

ICONS: Mapping[NodeKind, str] = MappingProxyType(
    {
        "client": _LAPTOP,
        "server": _RACK,
        "firewall": _WALL,
        "target": _SERVICE,
        "guest": _PEOPLE,
        "unknown": _QUESTION,
        "fold": _STACK,
    }
)
