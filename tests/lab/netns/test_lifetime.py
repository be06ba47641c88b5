"""A lab leaves nothing: not when it is closed, not when it fails to open, not when its owner is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from orchestra.errors import RuntimeFailure
from orchestra.lab.netns import NetnsLab, open_netns_lab
from tests.lab.netns.labs import OFFICE, ask, lab_of, needs_namespaces, topology

pytestmark = needs_namespaces
ROOT = Path(__file__).parents[3]

HOLD = """
import asyncio, sys
from pathlib import Path
from tests.lab.netns.labs import OFFICE, ask, lab_of

async def main():
    async with lab_of(Path(sys.argv[1]), OFFICE) as lab:
        await ask(lab.guest("office"), "10.20.0.30", 5900)
        print(lab._link._pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def descendants(pid):
    """A process and all its children's children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {pid, *(below for child in children for below in descendants(int(child)))}


def network_namespaces(pids):
    return {str(Path(f"/proc/{pid}/ns/net").readlink()) for pid in pids}


def held_namespaces():
    """The network namespaces that any process is in."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add(str((process / "ns/net").readlink()))
        except OSError:  # ended meanwhile
            continue
    return found


def alive(pids):
    """Those that have not ended; one that nobody has collected yet has ended."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and state(pid) != "Z"}


def state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def children():
    """The processes that this one has started; other tests may keep some."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def eventually(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def entries(directory):
    return {path.name for path in Path(directory).glob("*")}


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    """What other tests leave in theirs for a while is not seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)


def outside():
    """What a lab could leave behind on the machine."""
    temporary = {name for name in entries(tempfile.gettempdir()) if "orchestra" in name}
    return entries("/sys/class/net"), entries("/run/netns"), temporary


def descriptors():
    return len(entries("/proc/self/fd"))


def test_closing_leaves_nothing(tmp_path):
    async def run():
        before = outside(), descriptors()
        async with lab_of(tmp_path, OFFICE) as lab:
            await ask(lab.guest("office"), "10.20.0.30", 5900)
            pids = descendants(lab._link._pid)
            spaces = network_namespaces(pids)
            during = outside()
        assert len(pids) >= 4
        assert len(spaces) >= 4
        assert during == before[0]
        assert not alive(pids)
        assert not spaces & held_namespaces()
        return before, (outside(), descriptors())

    before, after = asyncio.run(run())
    assert before == after


def test_a_killed_owner_leaves_nothing(tmp_path):
    before = outside()
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with owner:
        try:
            init = int(owner.stdout.readline())
            pids = descendants(owner.pid)
            spaces = network_namespaces(descendants(init)) - network_namespaces([os.getpid()])
        finally:
            owner.kill()
        assert len(spaces) >= 4
        eventually(lambda: not alive(pids))
        eventually(lambda: not spaces & held_namespaces())
    assert owner.returncode == -signal.SIGKILL
    assert outside() == before


def test_a_killed_init_is_the_end_and_is_said(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            pids = descendants(lab._link._pid)
            os.kill(lab._link._pid, signal.SIGKILL)
            with pytest.raises(RuntimeFailure, match="has ended"):
                await lab.counters()
            await lab.close()
            return alive(pids)

    assert asyncio.run(run()) == set()


def test_cancelled_while_it_opens_it_leaves_nothing(tmp_path):
    async def run(seconds):
        task = asyncio.create_task(open_netns_lab(topology(tmp_path, OFFICE), "laptop"))
        await asyncio.wait({task}, timeout=seconds)
        task.cancel()
        done = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(done, NetnsLab):
            await done.close()

    before, others = descriptors(), children()
    for seconds in (0.0, 0.1, 0.2, 0.3):
        asyncio.run(run(seconds))
        assert descriptors() == before
    eventually(lambda: children() <= others)
