from __future__ import annotations

from random import Random

from orchestra.engine.core.backoff import delay

MANY = 300


def sample(kind: str, attempts: int) -> list[float]:
    rng = Random(7)  # noqa: S311 - the same every time
    return [delay(kind, attempts, rng) or 0.0 for _ in range(MANY)]  # type: ignore[arg-type]


def test_transient_failures_wait_anything_up_to_a_doubling_limit() -> None:
    for attempts, limit in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (50, 60), (10**9, 60)]:
        waits = sample("transient", attempts)
        assert 0.0 <= min(waits) < limit * 0.1
        assert limit * 0.9 < max(waits) <= limit


def test_policy_is_asked_about_at_most_once_a_minute() -> None:
    assert min(sample("policy", 1)) >= 60.0
    assert max(sample("policy", 9)) <= 120.0


def test_identity_is_not_tried_again() -> None:
    assert delay("identity", 1, Random(1)) is None  # noqa: S311
