"""Progress as it happens: a line per change, or a picture."""

from dataclasses import replace

from orchestra.model.events import ConnectionFailed, Noticed, OverallChanged, PathChanged, SessionChanged, TunnelChanged
from orchestra.render.progress import ProgressLines, live_view, progress_line
from orchestra.render.status_text import status_text
from orchestra.render.style import Style
from tests.render.statuses import REFUSED, STATUS


def test_progress_is_a_line_per_change():
    lines = ProgressLines()
    events = [
        SessionChanged(id="inner", server="inner", state="connecting"),
        SessionChanged(id="inner", server="inner", state="connecting"),
        SessionChanged(id="inner", server="inner", state="retrying", error=REFUSED),
        SessionChanged(id="inner", server="inner", state="open"),
        TunnelChanged(name="desk", state="ready", proven=True, listen=("127.0.0.1:5920",)),
        TunnelChanged(name="desk", state="ready", proven=True, listen=("127.0.0.1:5920",)),
        TunnelChanged(name="web", state="ready", proven=False, listen=("127.0.0.1:80",)),
        TunnelChanged(name="vault", state="failed", proven=False, error=REFUSED),
        TunnelChanged(name="vault", state="failed", proven=False, error=replace(REFUSED, attempts=4)),
        TunnelChanged(name="safe", state="failed", proven=False, error=replace(REFUSED, next_retry=None)),
        ConnectionFailed(tunnel="desk", peer="127.0.0.1:40000", code="DIAL_FAILED", message="no \x1b route"),
        Noticed(host="gateway", message="banner"),
        OverallChanged(state="ready"),
        OverallChanged(state="ready"),
    ]
    shown = [line for event in events if (line := lines.line(event, now=100.0)) is not None]
    why = "CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused"
    assert shown == [
        "◌ session inner: connecting",
        f"↻ session inner: retrying in 4 s, after 3 attempts: {why}",
        "✔ session inner: open",
        "✔ tunnel desk: ready at 127.0.0.1:5920",
        "✔ tunnel web: ready at 127.0.0.1:80, not proven",
        f"✘ tunnel vault: failed, will be tried again: {why}",
        f"✘ tunnel safe: failed: {why}",
        "! tunnel desk: connection of 127.0.0.1:40000 failed: DIAL_FAILED no · route",
        "i gateway: banner",
        "✔ orchestra: ready",
    ]


def test_another_path_is_told_with_the_one_before_and_why():
    a, b = ("laptop", "bastion-a"), ("laptop", "bastion-b")
    away = PathChanged(name="wiki", path=b, before=a, planned=False, reason="the session to bastion-a was lost")
    back = PathChanged(name="wiki", path=a, before=b, planned=True, reason="it has lasted")
    assert [progress_line(away), progress_line(back)] == [
        "▲ tunnel wiki goes by laptop → bastion-b, no longer by laptop → bastion-a: the session to bastion-a was lost",
        "✔ tunnel wiki goes again by laptop → bastion-a, no longer by laptop → bastion-b: it has lasted",
    ]


def test_the_picture_for_a_terminal_has_the_same_text():
    picture = live_view(STATUS, Style(True), now=100.0)
    assert picture.plain == status_text(STATUS, now=100.0)
    assert picture.spans
