"""What a target says of itself, or answers."""

from __future__ import annotations

import pytest

from orchestra.session.conversation import LONGEST
from orchestra.testing.targets import Step, after
from tests.plugins.checks.subjects import faults, said


@pytest.mark.parametrize(
    ("steps", "options", "problem"),
    [
        ((b"x",), {}, None),
        ((b"hel", b"lo\n"), {"expect": "^hello$"}, None),
        ((b"hall\xc3\xa5",), {"expect": "hallå"}, None),
        ((after(b"A\\n", b"B\n"),), {"send": "A\n", "expect": "B"}, None),
        (
            (b"a" * 40 + b"b",),
            {"expect": "(a+)+$"},
            "to look for '(a+)+$' in what it sent takes too long",
        ),
        ((b"hello\n",), {"expect": "ready"}, "what matches 'ready' did not come within 10 seconds"),
        ((b"hello\n",), {"expect": "^ello"}, "what matches '^ello' did not come within 10 seconds"),
        ((), {}, "a first byte did not come within 10 seconds"),
        (
            (b"x" * LONGEST,),
            {"expect": "y"},
            f"{LONGEST} bytes came and none match 'y'; they begin '{'x' * 59}…'",
        ),
    ],
)
def test_what_it_takes(steps: tuple[Step, ...], options: dict[str, object], problem: str | None) -> None:
    assert said("banner", *steps, **options) == problem


def test_what_a_file_may_say() -> None:
    assert faults("banner") == []
    assert faults('{type: banner, send: "x\\r\\n", expect: "^a|b$", farewell: bye, every: 5s}') == []
    assert "no regular expression" in faults("{type: banner, expect: '['}")[0]
    assert faults("{type: banner, expct: x}") == ["expct: unknown key 'expct'"]
