"""Tunnels and their variables."""

from __future__ import annotations

import pytest

from orchestra.model.address import Endpoint, UnixPath
from tests.loading.words import read, topology


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("5920", Endpoint(None, 5920)),
        ("auto", Endpoint(None, 0)),
        ("localhost:auto", Endpoint("localhost", 0)),
        ("'*:5920'", Endpoint("*", 5920)),
        ("::1/5920", Endpoint("::1", 5920)),
        ("unix:/run/x", UnixPath("/run/x")),
    ],
)
def test_listen(text: str, address: object) -> None:
    found = topology(f"servers: {{s: }}\ntargets: {{t: 'x:80'}}\ntunnels:\n  t:\n    listen: {text}\n")
    assert found.tunnels["t"].listen == address


def test_env_is_expanded_with_braces_and_placeholders_stay() -> None:
    text = "targets: {t: 'x:80'}\ntunnels: {t: {env: {URL: 'http://${WHO}@{host}:{port}/{{x}}', N: 5}}}\n"
    assert topology(text, WHO="me").tunnels["t"].env == {"URL": "http://me@{host}:{port}/{{x}}", "N": "5"}


@pytest.mark.parametrize(
    ("tunnel", "errors"),
    [
        ("env: {1X: a}", ["BAD_VALUE"]),
        ("env: {X: '{user}'}", ["BAD_VALUE"]),
        ("env: {X: '{host'}", ["BAD_VALUE"]),
        ("env: {X: '{{host}} {port}'}", []),
        ("kind: smoke", ["UNKNOWN_NAME"]),
        ("kind: smoke, smoke: {a: 1}", ["UNKNOWN_NAME"]),  # and nothing of its fields
        ("socks: {allow: []}", ["UNKNOWN_KEY"]),  # the fields of another kind
        ("kind: tcp, tcp: {a: 1}", ["UNKNOWN_KEY"]),
        ("check: vcn", ["UNKNOWN_NAME"]),
        ("check: {type: http, staus: 200}", ["UNKNOWN_KEY"]),
        ("family: ipv5", ["BAD_VALUE"]),
        ("dial_timeout: 0", ["BAD_VALUE"]),
        ("hold: 0", []),
    ],
)
def test_what_a_tunnel_cannot_be(tunnel: str, errors: list[str]) -> None:
    found = read(f"targets: {{t: 'x:80'}}\ntunnels: {{t: {{{tunnel}}}}}\n")
    assert [str(each.code) for each in found.diagnostics] == errors


def test_an_expectation_needs_its_three_words() -> None:
    assert [each.path for each in read("targets: {t: 'x:80'}\nexpect: [{}]\n").diagnostics] == ["expect[0]"] * 3
