"""Questions at a real terminal, and where there is none."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from orchestra.cli.asking import ask_person
from orchestra.plugin.interfaces import Question
from tests.cli.instances import needs_sshd, sshd, until
from tests.cli.terminal import at_terminal
from tests.engine.ssh.sshd import descendants

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
        terminal.types("\x04")
        terminal.shows(r"\A\nanswer None")  # a line of its own for what is said next


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


# The commands, by a person at a terminal.


@pytest.fixture
def locked(home):
    """A topology behind a real sshd, whose user's key is encrypted."""
    with sshd(home.path) as bastion, socket.create_server(("127.0.0.1", 0)) as target:
        change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "sesame", "-f", str(home.path / "user")]
        subprocess.run(change, check=True, capture_output=True)
        port = target.getsockname()[1]
        home.write(
            f"servers: {{b: {{ssh: {{{bastion}}}}}}}\n"
            f"targets: {{t: {{host: b, address: '127.0.0.1:{port}'}}}}\n"
            "tunnels: {t: {listen: auto}}\n"
        )
        yield home


def orchestra(home, *arguments):
    return at_terminal(home.path, home.environ, "-m", "orchestra", *arguments)


PROMPT = "b: passphrase of .*/user: "


@needs_sshd
def test_up_asks_and_goes_on_without_the_secret_on_the_screen_or_in_the_log(locked):
    with orchestra(locked, "up", "office.yaml") as terminal:
        terminal.shows(PROMPT)
        terminal.types("guess")
        terminal.shows("b: wrong, once more the passphrase of .*/user: ")
        assert not terminal.echoes()
        terminal.types("sesame")
        terminal.shows("t *ready")
        terminal.types("\x03")
        assert terminal.ends() == 0
        assert "sesame" not in terminal.shown
    assert all(b"sesame" not in file.read_bytes() for file in (locked.path / "state").rglob("*") if file.is_file())


@needs_sshd
def test_ctrl_c_at_a_question_is_the_end(locked):
    with orchestra(locked, "up", "office.yaml") as terminal:
        terminal.shows(PROMPT)
        terminal.types("\x03")
        assert terminal.ends() == 130
        assert "Traceback" not in terminal.shown
    assert locked.places == []


@needs_sshd
def test_detached_the_question_is_asked_before_and_no_time_runs_meanwhile(locked):
    with orchestra(locked, "up", "-d", "--timeout", "3", "office.yaml") as terminal:
        terminal.shows(PROMPT)
        assert not terminal.echoes()
        time.sleep(3.2)  # the person thinks, and that is what is tried
        terminal.types("sesame")
        terminal.shows("orchestra: ready")
        assert terminal.ends() == 0
    for pid in descendants(os.getpid()):
        with suppress(OSError):  # it went with the one above it
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sshd: root"):
                os.kill(pid, signal.SIGKILL)  # the server's part of the session
    (log,) = (locked.path / "state").rglob("*.log")
    until(lambda: log.read_text().count("session b: open") == 2)  # what was answered once is answered


@needs_sshd
def test_ctrl_c_at_a_question_of_a_detached_one_takes_it_along(locked):
    with orchestra(locked, "up", "-d", "office.yaml") as terminal:
        terminal.shows(PROMPT)
        terminal.types("\x03")
        assert terminal.ends() == 130
        assert "Traceback" not in terminal.shown
    assert locked.places == []


@needs_sshd
def test_run_asks_and_leaves_the_terminal_to_the_command(locked):
    with orchestra(locked, "run", "office.yaml", "--", "sh", "-c", "read line; echo got $line") as terminal:
        terminal.shows(PROMPT)
        terminal.types("sesame")
        terminal.shows("ready")
        terminal.types("hello")
        terminal.shows("got hello")
        assert terminal.ends() == 0


@needs_sshd
@pytest.mark.parametrize("how", [("up", "-d"), ("run",)])
def test_without_a_terminal_the_failure_says_what_to_do(locked, how):
    rest = ("--", "true") if how == ("run",) else ()
    done = subprocess.run(
        [sys.executable, "-m", "orchestra", *how, "office.yaml", *rest],
        cwd=locked.path,
        env=locked.environ,
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "is encrypted, and there is nobody to ask for its passphrase" in done.stderr
    assert "help: name its passphrase as a secret, or add the key to the agent" in done.stderr
