"""Figures, goals, tables and the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.results import Goal, Row, Table, figure, keep, markdown, missed, number, read, tables

SPEED = Table(
    "throughput",
    "MB/s",
    "more",
    [
        Row("one", {"ssh": [100.0, 50.0, 200.0], "orchestra": [110.0, 60.0, 100.0]}, (Goal(1.0, "ssh"),)),
        Row("two", {"ssh": [100.0], "orchestra": [90.0]}, (Goal(1.0, "ssh"),)),
        Row("three", {"ssh": [100.0]}, (Goal(1.0, "ssh"),)),
    ],
)


def test_a_ratio_is_the_median_of_the_rounds_that_both_were_measured_in() -> None:
    row = SPEED.rows[0]
    assert row.ratio(row.goals[0]) == pytest.approx(1.1)  # of 1.1, 1.2 and 0.5


def test_what_was_not_measured_misses_nothing() -> None:
    assert missed(SPEED) == ["throughput, two, to ssh: 0.90, wanted ≥ 1"]


@pytest.mark.parametrize(("better", "reached"), [("more", False), ("less", True)])
def test_better_says_on_which_side_of_the_limit_it_is_to_be(better: str, reached: bool) -> None:
    table = Table("x", "s", better, [Row("one", {"orchestra": [0.1]}, (Goal(0.2),))])  # type: ignore[arg-type]
    assert table.reached(table.rows[0], table.rows[0].goals[0]) is reached


def test_a_table_is_aligned_and_says_what_is_wanted() -> None:
    assert markdown(SPEED) == (
        "| throughput, MB/s |      ssh | orchestra |       to ssh |\n"
        "|------------------|---------:|----------:|-------------:|\n"
        "| one              | 100 ±75% |  100 ±25% |   1.10 (≥ 1) |\n"
        "| two              |      100 |      90.0 | 0.90 (≥ 1) ! |\n"
        "| three            |      100 |         – |              |\n"
    )


def test_a_figure_without_a_peer_is_held_against_the_limit_itself() -> None:
    table = Table("x", "s", "less", [Row("one", {"load": [0.5]}, (Goal(0.2, of="load"),))])
    assert markdown(table).splitlines()[2] == "| one  | 0.50 |      ≤ 0.2 ! |"


def test_figures_have_three_digits_that_count() -> None:
    assert [number(each) for each in (1234.5, 99.94, 9.994, 0.004)] == ["1,234", "99.9", "9.99", "0.00"]
    assert figure([]) == "–"
    assert figure([0.0, 0.0]) == "0.00 ±0%"


def test_a_part_that_is_measured_again_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    keep(file, "link", [SPEED], rounds=3)
    keep(file, "throughput", [], rounds=3)
    keep(file, "throughput", [SPEED], rounds=1)
    kept = read(file)
    assert list(kept["parts"]) == ["link", "throughput"]
    assert kept["parts"]["throughput"]["rounds"] == 1
    assert tables(kept["parts"]["throughput"]) == [SPEED]
