"""The process of ssh, here played by a shell."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from orchestra_plugins.openssh.master import LONGEST_LINE, Master


def play(script, work, tmp_path):
    async def scene():
        said = []
        directory = tmp_path / "private"
        directory.mkdir()
        words = ("/bin/sh", "-c", script)
        master = await Master.start(words, os.environ, str(directory), None, said.append)
        await work(master, said, directory)
        await master.ended.wait()
        return said

    return asyncio.run(scene())


def test_each_line_is_told_also_the_last_one_and_none_without_end(tmp_path):
    async def work(master, _said, _directory):
        await master.ended.wait()
        assert master.status == 3

    script = f"echo one >&2; printf 'two\\r\\n' >&2; head -c {LONGEST_LINE * 3} /dev/zero | tr '\\0' x >&2; exit 3"
    *lines, last = play(script, work, tmp_path)
    assert lines == ["one", "two"]
    assert last == "x" * LONGEST_LINE


def test_an_end_that_takes_too_long_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestra_plugins.openssh.master.PATIENCE", 0.05)

    async def work(master, _said, _directory):
        await master.stop()
        assert master.status == -signal.SIGKILL
        master.kill()  # it has gone, and that is no mistake

    play("exec sleep 100", work, tmp_path)


OWNER = """
import asyncio, os, signal, sys
from orchestra_plugins.openssh.master import Master
async def own():
    master = await Master.start(("/bin/sleep", "100"), os.environ, sys.argv[1], None, print)
    print(master.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(own())
"""


def test_it_goes_with_its_owner_and_so_does_its_directory(tmp_path):
    directory = tmp_path / "private"
    directory.mkdir()
    owner = subprocess.run([sys.executable, "-c", OWNER, directory], capture_output=True, text=True, check=False)
    assert owner.returncode == -signal.SIGKILL
    state, deadline = Path(f"/proc/{int(owner.stdout)}/stat"), time.monotonic() + 10
    while directory.exists() or (state.exists() and state.read_text().rpartition(") ")[2][0] != "Z"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_holds_on_to_its_standard_error_is_not_waited_for(tmp_path):
    async def work(master, _said, _directory):
        async with asyncio.timeout(5):
            await master.ended.wait()

    play("sleep 20 & exit 0", work, tmp_path)


def test_a_program_that_is_not_there():
    with pytest.raises(FileNotFoundError):
        asyncio.run(Master.start(("/nonexistent/ssh",), os.environ, "/nonexistent", None, print))
