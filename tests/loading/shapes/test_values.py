"""The scalars of the file."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from orchestra.loading.faults import Fault
from orchestra.loading.shapes import values
from orchestra.model.address import Endpoint
from tests.loading.words import topology

NO_USER = "no blanks, quotes or characters of a shell, and no '-' at the beginning"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("3", 3), ("0.5", 0.5), ("1.5s", 1.5), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    found = topology(f"targets: {{t: 'x:80'}}\ntunnels: {{t: {{hold: {text}}}}}\n")
    assert found.tunnels["t"].hold == seconds


@pytest.mark.parametrize(
    ("parse", "value", "result"),
    [
        (values.port, 1, 1),
        (values.port, 65535, 65535),
        (values.port_range, 22, (22, 22)),
        (values.port_range, "8000-8100", (8000, 8100)),
        (values.ip, "fd00::1", ip_address("fd00::1")),
        (values.cidr, "10.20.0.0/24", ip_network("10.20.0.0/24")),
        (values.cidr, "10.20.0.1", ip_network("10.20.0.1/32")),
        (values.duration, "1h30m0.5s", 5400.5),
        (values.duration, 0, 0.0),
        (values.host_name, "10.0.0.1", "10.0.0.1"),
        (values.dns_name, "db.example", "db.example"),
        (values.user_name, "CORP\\me", "CORP\\me"),
        (values.variable_name, "_DB_1", "_DB_1"),
        (values.variable_name, "DB_PATH", "DB_PATH"),
        (values.variable_name, "PGPASSFILE", "PGPASSFILE"),
        (values.topology_name, "office-2.x", "office-2.x"),
        (values.service_address, "*:80", Endpoint(None, 80)),
        (values.service_address, "localhost", Endpoint("localhost", None)),
        (values.listen_address, "auto", Endpoint(None, 0)),
    ],
)
def test_what_a_scalar_is(parse: Callable[[Any], Any], value: object, result: object) -> None:
    assert parse(value) == result


@pytest.mark.parametrize(
    ("parse", "value", "suggestion"),
    [
        (values.port, 0, "ports are numbers from 1 to 65535"),
        (values.port, 70000, "ports are numbers from 1 to 65535"),
        (values.port, True, "ports are numbers from 1 to 65535"),
        (values.port, "22", "write 22 without quotes"),
        (values.port_range, "90-80", "write 80-90"),
        (values.port_range, "ssh", 'write 22 or "8000-8100"'),
        (values.ip, "10.0.0.1/24", "write 10.0.0.1"),
        (values.ip, "db", "write an IPv4 or IPv6 address, without a port"),
        (values.ip, "127.0.0.1", None),
        (values.ip, "0.0.0.0", None),
        (values.ip, "fe80::1%eth0", None),
        (values.cidr, "10.20.0.1/24", "write 10.20.0.0/24"),
        (values.cidr, "office", "write a CIDR such as 10.20.0.0/24"),
        (values.duration, "soon", "write 15s, 2m, 1h30m, 500ms, or seconds"),
        (values.duration, -1, "write 15s, 2m, 1h30m, 500ms, or seconds"),
        (values.duration, float("inf"), "write 15s, 2m, 1h30m, 500ms, or seconds"),
        (values.duration, True, "write 15s, 2m, 1h30m, 500ms, or seconds"),
        (values.positive_duration, "0s", "write 15s, 2m, 1h30m, 500ms, or seconds"),
        (values.host_name, "1234", "write a name or an address"),
        (values.dns_name, "10.0.0.1", "addresses go under `networks`"),
        (values.user_name, "-oProxyCommand=x", NO_USER),
        (values.user_name, "a b", NO_USER),
        (values.variable_name, "1X", "letters, digits and '_'"),
        (values.variable_name, "PATH", "set it yourself"),
        (values.variable_name, "LD_PRELOAD", "set it yourself"),
        (values.variable_name, "BASH_ENV", "set it yourself"),
        (values.topology_name, "../x", "letters, digits, '.', '-' and '_', beginning with a letter or digit"),
    ],
)  # fmt: skip
def test_what_a_scalar_is_not(parse: Callable[[Any], Any], value: object, suggestion: str | None) -> None:
    with pytest.raises(Fault) as raised:
        parse(value)
    assert raised.value.suggestion == suggestion


@pytest.mark.parametrize("name", ["db", "site-a_2", "a.b"])
def test_names_of_entries(name: str) -> None:
    assert values.name_fault(name) is None


@pytest.mark.parametrize("name", ["any", "-x", "10.0.0.1", "7", "a b", "x" * 300, ""])
def test_what_cannot_be_a_name(name: str) -> None:
    assert values.name_fault(name) is not None
