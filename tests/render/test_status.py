"""The status for people and for programs, and progress as it happens."""

import json
import re
from dataclasses import replace
from textwrap import dedent

import pytest

from orchestra.model.events import ConnectionFailed, Noticed, OverallChanged, SessionChanged, TunnelChanged
from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus
from orchestra.render.progress import ProgressLines, live_view
from orchestra.render.status_json import status_json
from orchestra.render.status_text import size, status_text
from orchestra.render.style import Style

REFUSED = ErrorStatus(
    code="CONNECT_REFUSED",
    host="inner",
    message="gateway dials 10.20.0.7:22: connection refused",
    since=90.0,
    attempts=3,
    next_retry=104.2,
    suggestion="is sshd running on inner?",
)
STATUS = Status(
    topology="office",
    name="office",
    pid=4711,
    version="0.1.0",
    file="/home/alice/office.yaml",
    state="degraded",
    sessions=(
        SessionStatus(id="gateway", server="gateway", state="open"),
        SessionStatus(id="inner", server="inner", state="retrying", error=REFUSED),
    ),
    tunnels=(
        TunnelStatus(
            name="desk",
            state="ready",
            proven=True,
            listen=("127.0.0.1:5920", "[::1]:5920"),
            connections=1,
            bytes_in=1_300_000,
            bytes_out=310,
        ),
        TunnelStatus(name="web", state="ready", proven=False, listen=("127.0.0.1:80",), optional=True),
        TunnelStatus(name="vault", state="failed", proven=False, error=replace(REFUSED, next_retry=None), notes=("n",)),
    ),
)


def test_a_line_for_everything_and_under_it_what_is_wrong():
    assert (
        status_text(STATUS, now=100.0)
        == dedent(
            """
            office · degraded · pid 4711 · /home/alice/office.yaml

              session  ✔ gateway  open
                       ↻ inner    retrying in 4 s, 3 attempts
                                  CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused
                                  help: is sshd running on inner?
              tunnel   ✔ desk     ready              127.0.0.1:5920, [::1]:5920  1 connection, 1.2 MiB in, 310 B out
                       ✔ web      ready, not proven  127.0.0.1:80                optional
                       ✘ vault    failed
                                  CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused
                                  help: is sshd running on inner?
                                  n
            """
        ).strip()
    )


def test_the_keys_of_the_json_form():
    document = status_json(STATUS)
    assert json.loads(json.dumps(document)) == document
    assert {"format_version", "topology", "pid", "version", "file", "state", "sessions", "tunnels"} <= set(document)
    assert document["sessions"][0] == {"id": "gateway", "server": "gateway", "state": "open", "error": None}
    assert {"code", "host", "message", "since", "attempts", "next_retry"} <= set(document["sessions"][1]["error"])
    keys = {"name", "state", "proven", "listen", "error", "connections", "bytes_in", "bytes_out"}
    assert keys <= set(document["tunnels"][0])
    assert document["tunnels"][0]["listen"] == ["127.0.0.1:5920", "[::1]:5920"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.0 KiB"), (200_000_000, "190.7 MiB"), (10**15, "909.5 TiB")],
)
def test_sizes(number, text):
    assert size(number) == text


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
        ConnectionFailed(tunnel="desk", peer="127.0.0.1:40000", code="DIAL_FAILED", message="no \x1b route"),
        Noticed(host="gateway", message="banner"),
        OverallChanged(state="ready"),
        OverallChanged(state="ready"),
    ]
    shown = [line for event in events if (line := lines.line(event, now=100.0)) is not None]
    why = "CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused"
    assert shown == [
        "◌ session inner: connecting",
        f"↻ session inner: retrying in 4 s, 3 attempts: {why}",
        "✔ session inner: open",
        "✔ tunnel desk: ready at 127.0.0.1:5920",
        "✔ tunnel web: ready at 127.0.0.1:80, not proven",
        f"✘ tunnel vault: failed: {why}",
        "! tunnel desk: connection of 127.0.0.1:40000 failed: DIAL_FAILED no · route",
        "i gateway: banner",
        "✔ orchestra: ready",
    ]


def test_the_picture_for_a_terminal_has_the_same_text():
    picture = live_view(STATUS, Style(True), now=100.0)
    assert picture.plain == status_text(STATUS, now=100.0)
    assert picture.spans


def test_colour_changes_no_letter():
    coloured = status_text(STATUS, Style(True), now=100.0)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == status_text(STATUS, now=100.0)
