from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestra.control.gate import KEYS, TICKET_LIFE, TICKETS, Gate, Web, new_token, read_token
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError

TOKEN = "t" * 32


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        (f"Bearer {TOKEN} ", False),
        (f"Bearer {TOKEN[1:]}", False),
        ("Bearer ", False),
        ("Bearer \udcff", False),
        (None, False),
    ],
)
def test_the_token_opens(header: str | None, admitted: bool) -> None:
    assert Gate(TOKEN, Clock()).admits(header) is admitted


def test_a_ticket_opens_once() -> None:
    gate = Gate(TOKEN, Clock())
    ticket = gate.issue()
    assert not gate.admits(f"Bearer {ticket}")
    key = gate.redeem(ticket)
    assert key is not None
    assert key not in (ticket, TOKEN)
    assert gate.admits(f"Bearer {key}")
    assert gate.redeem(ticket) is None
    assert gate.redeem("\udcff") is None


def test_a_ticket_that_nobody_used_is_soon_none() -> None:
    clock = Clock()
    gate = Gate(TOKEN, clock)
    first, second = gate.issue(), gate.issue()
    clock.now = TICKET_LIFE
    assert gate.redeem(first) is not None
    clock.now += 0.1
    assert gate.redeem(second) is None


def test_nothing_is_kept_without_limit() -> None:
    gate = Gate(TOKEN, Clock())
    oldest = gate.issue()
    keys = [gate.redeem(gate.issue()) for _ in range(KEYS + 1)]
    assert [gate.admits(f"Bearer {key}") for key in (keys[0], keys[1], keys[-1])] == [False, True, True]
    for _ in range(TICKETS):
        gate.issue()
    assert gate.redeem(oldest) is None


def test_an_invitation_is_an_address_whose_secret_is_sent_to_nobody() -> None:
    gate = Gate(TOKEN, Clock())
    url, _, ticket = Web("http://127.0.0.1:9/", gate).invitation().partition("#")
    assert url == "http://127.0.0.1:9/"
    assert gate.redeem(ticket) is not None


def test_a_new_token_is_private_and_another_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.symlink_to(tmp_path / "precious")
    token = new_token(path)
    assert (read_token(path), len(token) > 40) == (token, True)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert not (tmp_path / "precious").exists()
    assert new_token(path) != token
    with pytest.raises(RuntimeFailure) as caught:
        new_token(tmp_path / "missing" / "token")
    assert caught.value.code is Code.STATE_UNWRITABLE


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("s" * 15, 0o600, "at least 16 characters"),
        ("two words of a token", 0o600, "without blanks"),
        ("first line of token\nsecond", 0o600, "one line"),
        ("s" * 5000, 0o600, "at least 16"),
        ("ü" * 20, 0o600, "no text of ASCII"),
        ("s" * 20, 0o640, r"mode 0640\): chmod 600"),
    ],
)
def test_a_token_of_somebody_s_own_is_long_and_private(tmp_path: Path, text: str, mode: int, why: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    with pytest.raises(UsageError, match=why):
        read_token(path)


def test_a_token_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_token(tmp_path / "token")
