"""``up -d`` from both sides; a shell script takes the child's part where the child does not matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from orchestra.assembly.detach import spawn
from orchestra.assembly.signals import Interrupted


@pytest.fixture
def child(tmp_path, monkeypatch):
    """``child(script)``: the exit code of a parent whose child is that script, and what was relayed.

    The script has the descriptor for its parent in ``$1``.
    """

    def run(script, during=bytes):
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
            return spawn(lambda descriptor: [str(descriptor)], relay), said.decode()
        except Interrupted as interrupted:
            return interrupted, said.decode()
        finally:
            assert {signum: signal.getsignal(signum) for signum in before} == before

    return run


def test_it_returns_when_the_child_is_ready_and_the_child_stays(child, tmp_path):
    os.mkfifo(tmp_path / "fifo")  # it ends only when this test reads it
    code, said = child(
        f"echo one; echo two >&2; echo -n 1 >&$1; exec >{tmp_path}/log 2>&1; echo stays >{tmp_path}/fifo"
    )
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


def test_the_child_s_words_go_to_the_log_from_its_readiness_on(tmp_path):
    reading, writing = os.pipe()
    log = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-c", PARENT, str(writing), str(log)],
        pass_fds=(writing,),
        input="not for it",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    os.close(writing)
    assert (done.stdout, done.stderr) == ("before\n", "")
    assert log.read_text() == "after\nerror\n''\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert (os.read(reading, 9), os.read(reading, 9)) == (b"1", b"")
    os.close(reading)


def test_a_parent_that_was_killed_does_not_matter(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", PARENT, str(writing), str(tmp_path / "log")]
    subprocess.run(command, pass_fds=(writing,), stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)
    os.close(writing)
    assert (tmp_path / "log").read_text().startswith("after\n")
