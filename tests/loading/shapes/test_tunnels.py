"""Tunnels and their variables."""

from __future__ import annotations

import pytest

from orchestra.model.address import Endpoint, UnixPath
from tests.loading.words import topology


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
