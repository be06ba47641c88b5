"""A topology and its plan as a picture: ``compose`` makes a scene of them, ``arrange`` places it, writers write it.

::

    (topology, plan) ── compose ──▶ Scene ── fold ──▶ Scene ── arrange ──▶ Placed ──▶ svg, html
                                                        └────────────────────────────▶ mermaid, dot

All of it is pure: the same topology and plan give the same text.
"""

from orchestra.render.picture.answer import compose_answer
from orchestra.render.picture.arrange import Placed, arrange
from orchestra.render.picture.compose import compose
from orchestra.render.picture.dot import dot
from orchestra.render.picture.fold import fold
from orchestra.render.picture.html import html
from orchestra.render.picture.mermaid import mermaid
from orchestra.render.picture.scene import Scene
from orchestra.render.picture.svg import svg

__all__ = ["Placed", "Scene", "arrange", "compose", "compose_answer", "dot", "fold", "html", "mermaid", "svg"]
