from __future__ import annotations

import asyncio
import io

import pytest

from orchestra.cli.console import Channel, Console
from orchestra.cli.progress import Progress
from orchestra.model.events import Noticed, OverallChanged, SessionChanged
from orchestra.model.status import ErrorStatus, SessionStatus, Status
from orchestra.render.style import PLAIN

REFUSED = ErrorStatus(code="AUTH_FAILED", host="gateway", message="refused", since=0.0, suggestion="use another key")
FAILED = SessionChanged(id="gateway", server="gateway", state="failed", error=REFUSED)
STATUS = Status(
    topology="office",
    name="office",
    pid=7,
    version="0",
    file="office.yaml",
    state="starting",
    sessions=(SessionStatus(id="gateway", server="gateway", state="connecting"),),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def console(stream: io.StringIO, *, quiet: bool = False) -> Console:
    return Console(Channel(io.StringIO(), PLAIN), Channel(stream, PLAIN), quiet=quiet)


def test_without_a_terminal_it_is_a_line_per_change_and_what_to_do_about_what_will_not_mend() -> None:
    stream = io.StringIO()
    with Progress(console(stream)) as progress:
        progress.watch(lambda: STATUS)
        for event in (FAILED, FAILED, OverallChanged(state="failed")):
            progress(event)
        progress.leave()
        progress(Noticed(host=None, message="still here"))
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if "session gateway: failed" in line] == lines[:1]
    assert lines[1] == "  help: use another key"
    assert sum("help:" in line for line in lines) == 1
    assert "still here" in lines[-1]


def test_quiet_says_nothing() -> None:
    stream = io.StringIO()
    with Progress(console(stream, quiet=True)) as progress:
        progress(FAILED)
    assert stream.getvalue() == ""


def test_a_reader_that_left_is_no_failure() -> None:
    with Progress(console(Gone())) as progress:
        progress(FAILED)
        progress(OverallChanged(state="failed"))


def test_on_a_terminal_the_picture_is_drawn_again_until_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, shown = Terminal(), []

    async def scene() -> None:
        with Progress(console(stream)) as progress:
            progress.watch(lambda: STATUS)
            progress(OverallChanged(state="starting"))
            progress(Noticed(host="gateway", message="a banner"))
            progress.leave()
            shown.append(stream.getvalue())
            progress(OverallChanged(state="ready"))

    asyncio.run(scene())
    assert stream.getvalue() == shown[0]
    assert shown[0].count("gateway  connecting") >= 3
    assert "a banner" in shown[0]


def test_a_question_has_the_terminal_for_itself_and_what_happened_meanwhile_is_told_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    async def scene() -> None:
        with Progress(console(stream)) as progress:
            progress.watch(lambda: STATUS)
            with progress.held():
                before = stream.getvalue()
                progress(Noticed(host="gateway", message="a banner"))
                assert stream.getvalue() == before
            assert "a banner" in stream.getvalue()
            assert stream.getvalue().count("gateway  connecting") > before.count("gateway  connecting")

    asyncio.run(scene())


def test_lines_wait_for_the_end_of_a_question_too() -> None:
    stream = io.StringIO()
    with Progress(console(stream)) as progress:
        with progress.held():
            progress(FAILED)
            assert stream.getvalue() == ""
        assert "use another key" in stream.getvalue()
