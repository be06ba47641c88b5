"""Questions at a real terminal, and where there is none."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from orchestra.cli.asking import ask_person
from orchestra.plugin.interfaces import Question
from tests.cli.terminal import at_terminal

PROGRAM = """
import asyncio, os, sys
from orchestra.cli.asking import ask_person
from orchestra.plugin.interfaces import Question

async def main():
    for echo in (False, True):
        question = Question(kind="password", host="gw", subject="me", text=f"echo {echo}?", echo=echo)
        print("answer", ascii(await ask_person(question, os.environ)), flush=True)

if "background" in sys.argv:
    if os.fork():
        os.wait()
        os._exit(0)
    os.setpgid(0, 0)
asyncio.run(main())
"""


def person(tmp_path, *arguments, **environ):
    return at_terminal(tmp_path, os.environ | environ, "-c", PROGRAM, *arguments)


def test_a_secret_is_not_shown_and_the_terminal_is_left_as_it_was(tmp_path):
    with person(tmp_path) as terminal:
        terminal.shows(r"echo False\? ")
        assert not terminal.echoes()
        terminal.types("sésame")
        terminal.shows(r"'s\\xe9same'")
        terminal.shows(r"echo True\? ")
        assert terminal.echoes()
        terminal.types("visible")
        terminal.shows(r"visible\nanswer 'visible'")
        assert terminal.ends() == 0
        assert "sésame" not in terminal.shown


def test_the_end_of_input_is_no_answer(tmp_path):
    with person(tmp_path) as terminal:
        terminal.shows(r"echo False\? ")
        terminal.types("\x04")
        terminal.shows("answer None")
        terminal.shows(r"echo True\? ")
        terminal.types("")
        terminal.shows("answer ''")


def test_ctrl_c_ends_it_and_gives_the_echo_back(tmp_path):
    with person(tmp_path) as terminal:
        terminal.shows(r"echo False\? ")
        terminal.types("\x03")
        terminal.shows("KeyboardInterrupt")
        assert terminal.echoes()
        assert terminal.ends() == -signal.SIGINT


def test_in_the_background_nobody_is_asked(tmp_path):
    with person(tmp_path, "background") as terminal:
        terminal.shows("answer None\nanswer None")
        assert terminal.ends() == 0


def askpass(tmp_path, script):
    program = tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("environ", "answer"),
    [
        ({"DISPLAY": ":0"}, "to echo False?"),
        ({"WAYLAND_DISPLAY": "x"}, "to echo False?"),
        ({"SSH_ASKPASS_REQUIRE": "force"}, "to echo False?"),
        ({"DISPLAY": ":0", "SSH_ASKPASS_REQUIRE": "never"}, None),
        ({}, None),
    ],
)
def test_without_a_terminal_ssh_askpass_is_run_where_ssh_would(tmp_path, environ, answer):
    program = askpass(tmp_path, 'echo "to $1"')
    kept = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=kept | environ | {"SSH_ASKPASS": program},
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.splitlines()[0] == f"answer {answer!r}"


def test_it_goes_before_the_terminal_when_that_is_asked_for(tmp_path):
    program = askpass(tmp_path, "echo sesame")
    with person(tmp_path, SSH_ASKPASS=program, DISPLAY=":0", SSH_ASKPASS_REQUIRE="prefer") as terminal:
        terminal.shows("answer 'sesame'")


@pytest.mark.parametrize("script", ["exit 1", None])
def test_a_window_that_is_closed_or_missing_is_no_answer(tmp_path, script):
    program = askpass(tmp_path, script) if script else str(tmp_path / "missing")
    question = Question(kind="password", host="gw", subject="me", text="?")
    assert asyncio.run(ask_person(question, {"SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"})) is None
