"""``up -d`` from both sides; a shell script takes the child's part where the child does not matter."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict

import pytest

from orchestra.assembly.detach import Parent, spawn
from orchestra.assembly.signals import Interrupted
from orchestra.plugin.interfaces import Question

READY = """echo '{"ready": true}' >&$1"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    """``child(script)``: the exit code of a parent whose child is that script, and what was relayed.

    The script has the descriptor for its parent in ``$1``.
    """

    def run(script, during=bytes, answer=None):
        program = tmp_path / "python"
        program.write_text(f'#!/bin/bash\nset -- "$3"\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        said = bytearray()

        def relay(text):
            said.extend(text)
            during(text)

        before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
        try:
            return spawn(lambda descriptor: [str(descriptor)], relay, answer), said.decode()
        except Interrupted as interrupted:
            return interrupted, said.decode()
        finally:
            assert {signum: signal.getsignal(signum) for signum in before} == before

    return run


def test_it_returns_when_the_child_is_ready_and_the_child_stays(child, tmp_path):
    os.mkfifo(tmp_path / "fifo")  # it ends only when this test reads it
    code, said = child(f"echo one; echo two >&2; {READY}; exec >{tmp_path}/log 2>&1; echo stays >{tmp_path}/fifo")
    assert (code, said) == (0, "one\ntwo\n")
    assert (tmp_path / "fifo").read_text() == "stays\n"


@pytest.mark.parametrize(("end", "code"), [("exit 3", 3), ("kill -KILL $$", 137)])
def test_a_child_that_ends_before_gives_its_exit_code_after_its_words(child, end, code):
    assert child(f"echo no way; {end}") == (code, "no way\n")


def test_a_signal_takes_the_child_along_and_its_last_words_are_heard(child, tmp_path):
    script = "trap 'echo goodbye; exit 0' TERM; echo hello; while :; do read -t 0.02 < <(sleep 1); done"
    ended, said = child(script, lambda text: text == b"hello\n" and os.kill(os.getpid(), signal.SIGINT))
    assert isinstance(ended, Interrupted)
    assert (ended.signum, said) == (signal.SIGINT, "hello\ngoodbye\n")


def test_the_child_s_questions_are_answered_after_its_words(child, tmp_path):
    question = Question(kind="password", host="gw", subject="me@gw", text="password?")
    line = json.dumps({"question": asdict(question) | {"number": 3}})
    heard = []

    def answer(asked):
        heard.append(asked)
        return "sesame"

    code, said = child(f"echo first; echo '{line}' >&$1; read -u $1 reply; echo \"$reply\"; {READY}", answer=answer)
    assert (code, said) == (0, 'first\n{"number": 3, "answer": "sesame"}\n')
    assert heard == [question]


PARENT = """
import sys
from pathlib import Path
from orchestra.assembly.detach import Parent
parent = Parent(int(sys.argv[1]))
print("before", flush=True)
parent.ready(Path(sys.argv[2]))
print("after", flush=True)
print("error", file=sys.stderr, flush=True)
print(repr(sys.stdin.read()), flush=True)
"""


def parent_in_a_process(log, theirs, **options):
    """A child that gets ready, told to a parent that stands in for this test."""
    command = [sys.executable, "-c", PARENT, str(theirs.fileno()), str(log)]
    return subprocess.run(
        command, pass_fds=(theirs.fileno(),), capture_output=True, text=True, timeout=30, check=True, **options
    )


def test_the_child_s_words_go_to_the_log_from_its_readiness_on(tmp_path):
    ours, theirs = socket.socketpair()
    log = tmp_path / "log"
    with ours:
        with theirs:
            done = parent_in_a_process(log, theirs, input="not for it")
        assert (ours.recv(99), ours.recv(99)) == (b'{"ready": true}\n', b"")
    assert (done.stdout, done.stderr) == ("before\n", "")
    assert log.read_text() == "after\nerror\n''\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_parent_that_was_killed_does_not_matter(tmp_path):
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        parent_in_a_process(tmp_path / "log", theirs, stdin=subprocess.DEVNULL)
    assert (tmp_path / "log").read_text().startswith("after\n")


def question(text, **more):
    return Question(kind="password", host="gw", subject="me@gw", text=text, **more)


def test_questions_reach_the_parent_and_a_reply_to_a_withdrawn_one_is_passed_over():
    ours, theirs = socket.socketpair()

    async def main():
        parent = Parent(theirs.detach())
        first = asyncio.create_task(parent.ask(question("one")))
        await asyncio.get_running_loop().sock_recv(ours, 999)  # it is on its way
        first.cancel()
        await asyncio.wait((first,))
        second = asyncio.create_task(parent.ask(question("two")))
        for number in (1, 2):
            ours.sendall(json.dumps({"number": number, "answer": f"to {number}"}).encode() + b"\n")
        assert await second == "to 2"
        ours.close()
        assert await parent.ask(question("three")) is None  # it has gone

    with ours:
        ours.setblocking(False)
        asyncio.run(main())


def test_after_readiness_nobody_is_asked(tmp_path):
    program = """
import asyncio, sys
from pathlib import Path
from orchestra.assembly.detach import Parent
from orchestra.plugin.interfaces import Question
parent = Parent(int(sys.argv[1]))
parent.ready(Path(sys.argv[2]))
print(asyncio.run(parent.ask(Question(kind="password", host="gw", subject="me", text="?"))))
"""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", program, str(theirs.fileno()), str(tmp_path / "log")]
        subprocess.run(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, timeout=30, check=True)
    assert (tmp_path / "log").read_text() == "None\n"
