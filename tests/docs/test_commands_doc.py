"""Every command has a section: how it is called, its options, and examples that run."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re

import pytest

from orchestra.cli import main
from orchestra.cli.app import COMMANDS
from orchestra.cli.exits import Exit
from orchestra.render.status_json import status_json
from tests.docs.test_documents import ROOT
from tests.render.statuses import STATUS

TEXT = (ROOT / "docs" / "commands.md").read_text("utf-8")
NAMES = list(COMMANDS)
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
COMMON = {"--help", "--quiet", "--verbose", "--color", "--file", "--client", "--plugin", "--output", "--tunnel"} | {
    "--profile",
    "--allow-exec",
    "--detach",  # -d
    "--follow",  # -f
    "--output-file",  # -O
}
"""Said once for all, or by the short name."""


@functools.cache
def options(name: str) -> frozenset[str]:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert main([name, "--help"]) == Exit.DONE
    return frozenset(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown.getvalue(), re.MULTILINE))


def test_the_table_lists_every_command() -> None:
    assert sorted(re.findall(r"^\| \[`(\w+)`\]\(#(?:\w+)\) \| ", TEXT, re.MULTILINE)) == sorted(NAMES)
    assert all(f"| [`{name}`](#{name}) |" in TEXT for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_section_says_how_it_is_called(name: str) -> None:
    assert f"`orchestra {name}" in SECTIONS[name] or f"(orchestra {name}" in SECTIONS[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "trust"])
def test_its_section_has_an_example_that_runs(name: str) -> None:
    """All but one: `trust` wants a server whose key is unknown."""
    shown = "".join(re.findall(r"```console\n(.*?)```", SECTIONS[name], re.DOTALL))
    assert re.search(rf"^\$ orchestra (?:{name}\b|.* \| orchestra {name}\b)", shown, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_its_section_speaks_of_each_option_and_of_no_other(name: str) -> None:
    there = options(name)
    body = SECTIONS[name]
    assert {option for option in there - COMMON if option not in body} == set()
    said = set(re.findall(r"`(--[a-z-]+)", body))
    assert said <= there | {option for other in NAMES for option in options(other) if f"`{other}" in body}


def test_what_all_have_in_common() -> None:
    said = SECTIONS["What they have in common"]
    for option in ("--client", "--plugin", "--profile", "--allow-exec", "--timeout", "--color"):
        assert f"`{option}" in said
    allowing = {name for name in NAMES if "--allow-exec" in options(name)}
    (sentence,) = re.findall(r"^(.*) take `--allow-exec`", said, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", sentence)) == allowing


def test_every_exit_code_is_listed() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| ", SECTIONS["Exit codes"], re.MULTILINE)
    listed = {int(number) for row in rows for number in row.split(",")}
    listed |= {int(number) for number in re.findall(r"\b(12[5-7]): ", SECTIONS["Exit codes"])}
    assert listed == {int(code) for code in Exit}


def test_the_keys_of_the_status() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", SECTIONS["status"], re.DOTALL)
    document, found = json.loads(shown), status_json(STATUS)
    assert list(document) == list(found)
    for part in ("sessions", "tunnels"):
        assert list(document[part][0]) == list(found[part][0])
