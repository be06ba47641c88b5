"""Work in a process of its own: what comes of it here, and what does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from orchestra.assembly.apart import NotHandedOver, can_fork, forked, spawned

TWICE = """
from orchestra.assembly.apart import forked
print("once", end=" ")
with forked(lambda: "and its result") as result:
    print(result())
"""


def done(work: Callable[[], Any]) -> Any:
    with forked(work) as result:
        return result()


def test_the_result_comes_here_and_nothing_else() -> None:
    seen: list[int] = []

    def work() -> tuple[int, object]:
        seen.append(1)
        return os.getpid(), MappingProxyType({"a": MappingProxyType({})})

    pid, value = done(work)
    assert pid != os.getpid()
    assert seen == []
    assert isinstance(value, MappingProxyType)
    assert value == {"a": {}}


def raising() -> None:
    raise ValueError("in vain")


@pytest.mark.parametrize(
    "work",
    [
        raising,
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os.kill(os.getpid(), signal.SIGINT) or time.sleep(60),  # type: ignore[func-returns-value]
        lambda: sys.exit(3),
        threading.Lock,
    ],
    ids=["raises", "killed", "interrupted", "exits", "cannot be moved"],
)
def test_without_a_result_there_is_an_error_and_no_word(
    work: Callable[[], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotHandedOver):
        done(work)
    assert capfd.readouterr() == ("", "")


def test_who_does_not_wait_for_it_ends_it() -> None:
    reading, writing = os.pipe()

    def work() -> None:
        os.write(writing, str(os.getpid()).encode())
        time.sleep(60)

    with forked(work):
        process = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_was_still_to_be_written_is_written_once() -> None:
    said = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=True).stdout
    assert said == "once and its result\n"


def test_a_new_process_does_what_a_function_of_a_module_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import os\ndef work(word):\n    print('aside')\n    return os.getpid(), word\n"
    (tmp_path / "strange.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    pid, word = spawned(partial(import_module("strange").work, "done"))
    assert (pid != os.getpid(), word) == (True, "done")


def test_a_new_process_that_fails_gives_no_result(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotHandedOver):
        spawned(partial(int, "no number"))
    assert capfd.readouterr() == ("", "")


def test_a_process_with_threads_is_not_copied() -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    before = can_fork()
    other.start()
    try:
        assert not can_fork()
    finally:
        stop.set()
        other.join()
    assert can_fork() == before
