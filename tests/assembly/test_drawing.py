from __future__ import annotations

import sys

import pytest

from orchestra.assembly.drawing import draw
from tests.render.picture import drawings


def test_it_is_part_of_a_page_and_names_its_hops() -> None:
    topology = drawings.read("topologies/nat.yaml")
    drawn = draw(topology, drawings.planned(topology))
    assert drawn is not None
    assert drawn.startswith("<svg")
    assert "data-session=" in drawn
    assert "<style" not in drawn


def test_without_the_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = drawings.read("topologies/nat.yaml")
    monkeypatch.setitem(sys.modules, "graphlay", None)
    assert draw(topology, drawings.planned(topology)) is None
