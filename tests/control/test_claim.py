from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra.control.claim import Claim, Info, is_held, read_info
from orchestra.control.paths import Place
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure


def info(pid: int = 4711) -> Info:
    return Info(name="office", topology="office", pid=pid, file="/x/office.yaml", version="0.1.0", started=1.0)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "orchestra" / "office")


def test_a_claim_says_who_it_is_and_leaves_nothing(place: Place) -> None:
    with Claim.take(place, info()):
        assert is_held(place)
        assert read_info(place) == info()
        assert place.directory.stat().st_mode & 0o777 == 0o700
        assert place.lock.stat().st_mode & 0o777 == 0o600
    assert not is_held(place)
    assert not place.directory.exists()
    assert read_info(place) is None


def test_a_second_claim_is_refused_naming_the_pid(place: Place) -> None:
    with Claim.take(place, info()), pytest.raises(RuntimeFailure, match=r"pid 4711, /x/office\.yaml") as caught:
        Claim.take(place, info(4712))
    assert caught.value.code is Code.ALREADY_RUNNING
    Claim.take(place, info(4712)).release()


def killed_in(place: Place) -> None:
    """Leaves behind what one that held the place leaves that is killed."""
    holder = (
        "import sys, os\nfrom pathlib import Path\nfrom orchestra.control.claim import Claim, Info\n"
        "from orchestra.control.paths import Place\n"
        "claim = Claim.take(Place(Path(sys.argv[1])), Info(name='office', topology='office', pid=os.getpid(), file='f',"
        " version='0', started=0.0))\nclaim.place.socket.touch()\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(place.directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(RuntimeFailure, match=f"pid {child.pid}"):
            Claim.take(place, info())
        child.send_signal(signal.SIGKILL)
    assert place.socket.exists()


def test_what_a_killed_one_left_behind_is_taken_over_silently(place: Place) -> None:
    killed_in(place)
    with Claim.take(place, info()):
        assert read_info(place) == info()
        assert not place.socket.exists()


def test_what_a_killed_one_left_behind_is_swept_away_but_never_what_somebody_has(place: Place) -> None:
    killed_in(place)
    Claim.sweep(place)
    assert not place.directory.exists()
    Claim.sweep(place)
    assert not place.directory.exists()
    with Claim.take(place, info()):
        Claim.sweep(place)
        assert read_info(place) == info()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "orchestra").touch()
    with pytest.raises(RuntimeFailure) as caught:
        Claim.take(Place(tmp_path / "orchestra" / "office"), info())
    assert caught.value.code is Code.STATE_UNWRITABLE


def test_a_claim_leaks_no_descriptor(place: Place) -> None:
    def opened() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = opened()
    with Claim.take(place, info()), pytest.raises(RuntimeFailure):
        Claim.take(place, info())
    assert opened() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1, "other": 2}', "\xff"])
def test_an_unreadable_info_is_nobody(place: Place, text: str) -> None:
    place.directory.mkdir(parents=True)
    place.info.write_bytes(text.encode("latin-1"))
    assert read_info(place) is None


def test_a_lock_that_leads_elsewhere_is_refused(place: Place, tmp_path: Path) -> None:
    place.directory.mkdir(parents=True, mode=0o700)
    place.directory.parent.chmod(0o700)
    place.lock.symlink_to(tmp_path / "precious")
    with pytest.raises(RuntimeFailure, match=f"at {place.lock}: it is a symbolic link") as caught:
        Claim.take(place, info())
    assert caught.value.code is Code.STATE_UNWRITABLE
    assert not (tmp_path / "precious").exists()


def test_what_others_left_in_the_place_of_our_files_is_not_written(place: Place, tmp_path: Path) -> None:
    place.directory.mkdir(parents=True, mode=0o700)
    place.directory.parent.chmod(0o700)
    (tmp_path / "precious").write_text("mine")
    place.info.symlink_to(tmp_path / "precious")
    place.draft.symlink_to(tmp_path / "precious")
    with Claim.take(place, info()):
        assert read_info(place) == info()
        assert not place.info.is_symlink()
    assert (tmp_path / "precious").read_text() == "mine"
