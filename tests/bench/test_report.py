"""The page has a place for each part, and holds the figures of the result that is kept."""

from __future__ import annotations

import re

from bench.__main__ import PARTS
from bench.report import PAGE, RESULT, filled
from bench.results import read


def test_every_part_has_a_place_and_is_in_the_result() -> None:
    places = re.findall(r"<!-- bench: (\w+) -->", PAGE.read_text())
    assert sorted(places) == sorted([*PARTS, "machine"])
    assert read(RESULT)["parts"].keys() == PARTS.keys()


def test_the_page_holds_the_figures_of_the_result() -> None:
    assert filled(PAGE.read_text(), read(RESULT)) == PAGE.read_text()


def test_what_was_not_measured_stays() -> None:
    page = "a\n<!-- bench: link -->\nold\n<!-- end -->\nb\n"
    assert filled(page, {"parts": {}, "machine": {}}) == page


def test_a_part_is_put_in_its_place() -> None:
    rows = [{"name": "up", "values": {"orchestra": [1.0, 1.0]}, "goals": []}]
    table = {"title": "link", "unit": "MB/s", "better": "more", "rows": rows}
    part = {"when": "2026-01-02 03:04", "seconds": 5, "load": 0.5, "tables": [table]}
    page = filled("<!-- bench: link -->\nold\n<!-- end -->\nb\n", {"parts": {"link": part}, "machine": {}})
    assert page == (
        "<!-- bench: link -->\n\n"
        "| link, MB/s | orchestra |\n|------------|----------:|\n| up         |  1.00 ±0% |\n\n"
        "2026-01-02 03:04 UTC, 2 rounds, 5 s; load 0.5 when it began.\n\n"
        "<!-- end -->\nb\n"
    )
