"""The scalars of the file."""

from __future__ import annotations

import pytest

from tests.loading.words import topology


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("3", 3), ("0.5", 0.5), ("1.5s", 1.5), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    found = topology(f"targets: {{t: 'x:80'}}\ntunnels: {{t: {{hold: {text}}}}}\n")
    assert found.tunnels["t"].hold == seconds
