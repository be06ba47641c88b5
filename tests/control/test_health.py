from __future__ import annotations

from dataclasses import replace

import pytest

from orchestra.control.health import Health, readiness, tunnel_readiness
from tests.render.statuses import STATUS


def test_the_whole_says_why() -> None:
    found = readiness(STATUS, verbose=True)
    assert not found.ok
    assert found.text.splitlines() == [
        "not ready: degraded",
        "[+]desk ready",
        "[+]web ready (optional)",
        "[-]vault failed: CONNECT_REFUSED gateway dials 10.20.0.7:22: connection refused",
    ]
    assert readiness(replace(STATUS, state="ready"), verbose=True).ok


def test_who_is_not_known_reads_codes_only() -> None:
    assert "10.20.0.7" not in readiness(STATUS, verbose=False).text
    assert "[-]vault failed: CONNECT_REFUSED\n" in readiness(STATUS, verbose=False).text


@pytest.mark.parametrize(
    ("name", "health"),
    [
        ("desk", Health(True, "[+]desk ready\n")),
        ("vault", Health(False, "[-]vault failed: CONNECT_REFUSED\n")),
        ("nobody", None),
    ],
)
def test_one_tunnel(name: str, health: Health | None) -> None:
    assert tunnel_readiness(STATUS, name, verbose=False) == health


def test_what_peers_said_is_one_line() -> None:
    error = STATUS.tunnels[2].error
    assert error is not None
    tunnel = replace(STATUS.tunnels[2], error=replace(error, message="\x1b[2J\nready\u202e"))
    found = tunnel_readiness(replace(STATUS, tunnels=(tunnel,)), "vault", verbose=True)
    assert found is not None
    assert found.text == "[-]vault failed: CONNECT_REFUSED ·[2J ready·\n"
