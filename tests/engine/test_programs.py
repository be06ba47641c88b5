"""Programs that are run for what they print."""

import asyncio
import sys

import pytest

from orchestra.engine.programs import ProgramFailed, output_of


def python(code):
    return [sys.executable, "-c", code]


def test_what_it_prints_and_nothing_else():
    code = "import sys; print('out'); print('err', file=sys.stderr); assert not sys.stdin.read()"
    assert asyncio.run(output_of(python(code), 10)) == b"out\n"


@pytest.mark.parametrize(
    ("command", "deadline", "why"),
    [
        (["/no/such/program"], 10, "/no/such/program cannot be run: No such file"),
        (["nul\0"], 10, "cannot be run"),
        (python("raise SystemExit(3)"), 10, "ended with status 3"),
        (python("print('x' * 2_000_000)"), 10, "prints more than 1048576 bytes"),
        (python("import time; time.sleep(60)"), 0.3, "did not end within 0.3 seconds"),
    ],
)
def test_what_went_wrong(command, deadline, why):
    with pytest.raises(ProgramFailed, match=why):
        asyncio.run(output_of(command, deadline))
