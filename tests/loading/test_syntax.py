"""What YAML trips over, in words for people."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.loading.nodes import plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from tests.loading.test_reader import refusal, values


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("a: 1\n\tb: 2\n", (2, 1), "tab"),
        ("a: !!binary xx\nb: !t {}\n", (2, 4), "tags"),
        ("? [a]\n: b\n", (1, 3), "a key must be text"),
        ("a: b: c\n", (1, 5), "second ': '"),
        ("a: 'x\n", (2, 1), "quote does not close"),
        ("a: 1\x07\n", (1, 5), "U+0007"),
        ("a: @x\n", (1, 4), "'@'"),
        ("a: &x 1\n*x : 2\n", (2, 1), "a key cannot be an alias"),
        ("a: 1\n...\n---\nb: 1\n", (3, 1), "second document"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "indentation"),
    ],
)
def test_what_yaml_trips_over(text: str, position: tuple[int, int], words: str) -> None:
    problem = refusal(text)
    assert problem.code is Code.YAML_SYNTAX
    assert problem.spot == ("f", *position)
    assert words in f"{problem.message} {problem.suggestion}"


@pytest.mark.parametrize(
    ("text", "token", "column"),
    [
        ("listen: *:5920\n", "*:5920", 9),
        ("listen: [::1]:5920\n", "[::1]:5920", 9),
        ("listen: [fd00::1]:5920\n", "[fd00::1]:5920", 9),
        ("a: {listen: ::1/5920}\n", "::1/5920", 13),
        ("a: {listen: [::1]:5920, b: 1}\n", "[::1]:5920", 13),
        ("a: [x, [::1]:5920]\n", "[::1]:5920", 8),
        ("a: {user: ${USER:-ops}}\n", "${USER:-ops}", 11),
        ("a: {to: x-${USER:-ops}.example}\n", "x-${USER:-ops}.example", 9),
        ("a: [*:22, b]\n", "*:22", 5),
    ],
)
def test_quote_this(text: str, token: str, column: int) -> None:
    report = Report()
    node = read_yaml("f", text, environ={}, report=report, dropped=set())
    assert node is not None
    [problem] = report.diagnostics
    assert problem.place is not None
    assert (problem.code, problem.place.line, problem.place.column) == (Code.YAML_SYNTAX, 1, column)
    assert problem.message == f"{token} must be quoted"
    assert problem.suggestion == f'write "{token}"'
    fixed = text.replace(token, f'"{token}"')
    assert plain(node) == values(fixed), "it is read as if it had been quoted, so that it hides nothing else"
