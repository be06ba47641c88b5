"""Streams: who gets what, and in which colours."""

import io
import os
import pty
import subprocess
import sys

import pytest

from orchestra.cli.console import Channel, Colour, Console, wants_colour
from orchestra.render.style import PLAIN


@pytest.mark.parametrize(
    ("choice", "tty", "environ", "expected"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", True, {}, False),
    ],
)
def test_when_to_colour(choice, tty, environ, expected):
    assert wants_colour(Colour(choice), tty=tty, environ=environ) is expected


def consoles(*, quiet=False, verbosity=0):
    """A console over two streams in memory."""
    out, err = (Channel(io.TextIOWrapper(io.BytesIO(), "utf-8"), PLAIN) for _ in range(2))
    return Console(out, err, quiet, verbosity)


def text_of(channel):
    """What was written."""
    channel.stream.flush()
    return channel.stream.buffer.getvalue().decode(channel.stream.encoding)


def test_data_and_messages_take_different_streams():
    console = consoles()
    console.data("result")
    console.say("message")
    console.detail("detail")
    console.error("error")
    assert text_of(console.out) == "result\n"
    assert text_of(console.err) == "message\nerror\n"


def test_quiet_keeps_errors_and_verbose_adds_details():
    quiet, verbose = consoles(quiet=True), consoles(verbosity=1)
    for console in (quiet, verbose):
        console.say("message")
        console.detail("detail")
        console.error("error")
    assert text_of(quiet.err) == "error\n"
    assert text_of(verbose.err) == "message\ndetail\nerror\n"


def test_a_stream_that_cannot_draw_symbols_gets_them_in_ascii_and_the_rest_as_question_marks():
    channel = Channel(io.TextIOWrapper(io.BytesIO(), "ascii"), PLAIN)
    channel.line("✔ a → é")
    assert text_of(channel) == "+ a -> ?\n"


def test_each_stream_is_coloured_by_itself():
    """Standard error is a terminal, standard output a pipe: only the first is coloured."""
    leader, follower = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    script = "import sys; from orchestra.cli.console import Console; c = Console.standard(); sys.exit("
    script += "c.err.style.colour * 2 + c.out.style.colour)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=follower, env=environ, check=False
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 2


def test_a_reader_who_leaves_is_no_error():
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m orchestra schema | true"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_a_full_disk_is_said():
    script = f"{sys.executable} -m orchestra version > /dev/full"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: cannot write the result: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_written_to_nowhere(closed):
    script = f"{sys.executable} -m orchestra version {closed}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))
