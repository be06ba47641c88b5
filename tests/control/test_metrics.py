"""The names are a contract: what is in the documentation is here, and the other way round."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from orchestra.control.metrics import SESSION_STATES, TUNNEL_STATES, exposition
from orchestra.model import status as module
from orchestra.model.measures import Durations
from tests.render.statuses import STATUS

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TIMES = Durations().plus(0.02).plus(0.2).plus(99.0)
MEASURED = replace(
    STATUS,
    sessions=(replace(STATUS.sessions[0], handshakes=TIMES), *STATUS.sessions[1:]),
    tunnels=(
        replace(
            STATUS.tunnels[0],
            accepted=7,
            refused=2,
            dials=TIMES,
            counters={"flows": 3, "dropped_queue": 5, "dropped_age": 1},
        ),
        *STATUS.tunnels[1:],
    ),
)


def samples(accept: str = "") -> dict[tuple[str, str], float]:
    """By name and labels, as text."""
    body, content_type = exposition(MEASURED, accept)
    read = read_openmetrics if content_type.startswith("application/openmetrics") else read_text
    found = {}
    for family in read(body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            assert (sample.name, labels) not in found
            found[sample.name, labels] = sample.value
    return found


def test_a_status_as_samples() -> None:
    found = samples()
    assert found["orchestra_state", "state=degraded"] == 1
    assert found["orchestra_state", "state=ready"] == 0
    assert found["orchestra_session_state", "server=inner,session=inner,state=retrying"] == 1
    assert found["orchestra_session_reconnects_total", "server=gateway,session=gateway"] == 2
    assert found["orchestra_session_reconnects_total", "server=inner,session=inner"] == 0
    assert found["orchestra_session_handshake_seconds_bucket", "le=0.25,server=gateway,session=gateway"] == 2
    assert found["orchestra_session_handshake_seconds_bucket", "le=+Inf,server=gateway,session=gateway"] == 3
    assert found["orchestra_session_handshake_seconds_sum", "server=gateway,session=gateway"] == TIMES.total
    assert found["orchestra_tunnel_dial_seconds_count", "tunnel=desk"] == 3
    assert found["orchestra_tunnel_connections", "tunnel=desk"] == 1
    assert found["orchestra_tunnel_accepted_total", "tunnel=desk"] == 7
    assert found["orchestra_tunnel_refused_total", "tunnel=desk"] == 2
    assert found["orchestra_tunnel_bytes_total", "direction=in,tunnel=desk"] == 1_300_000
    assert found["orchestra_tunnel_drops_total", "cause=queue,tunnel=desk"] == 5
    assert found["orchestra_tunnel_counter", "counter=flows,tunnel=desk"] == 3
    assert found["process_open_fds", ""] > 2


def test_both_formats_say_the_same() -> None:
    def ours(found: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        return {key: value for key, value in found.items() if key[0].startswith("orchestra_")}

    assert exposition(MEASURED, "")[1].startswith("text/plain; version=0.0.4")
    assert exposition(MEASURED, OPENMETRICS)[0].endswith(b"# EOF\n")
    assert ours(samples()) == ours(samples(OPENMETRICS))


def test_names_of_strangers_stay_values() -> None:
    nasty = replace(MEASURED.tunnels[0], name='a"} 1\nevil{x="')
    text = exposition(replace(MEASURED, tunnels=(nasty,)), "")[0].decode()
    families = {family.name for family in read_text(text)}
    assert "evil" not in families
    assert not re.search(r"^evil", text, re.MULTILINE)


def test_every_state_has_a_series() -> None:
    assert set(SESSION_STATES) == set(module.SessionState.__args__)  # type: ignore[attr-defined]
    assert set(TUNNEL_STATES) == set(module.TunnelState.__args__)  # type: ignore[attr-defined]


def test_every_name_is_documented() -> None:
    documented = set(re.findall(r"`(orchestra_[a-z_]+)", DOCUMENT.read_text("utf-8")))
    told = {name for name, _ in samples() if name.startswith("orchestra_")}
    assert documented == {re.sub(r"_(bucket|count|sum)$", "", name) for name in told}
