"""How long to wait before trying again.

Full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015): many clients that lost one server
at the same moment do not come back at the same moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from orchestra.engine.core.failures import FailureClass

BASE = 1.0
CAP = 60.0
HEALTHY = 30.0
"""Seconds that a session has to last before its earlier failures are forgotten: one that flaps keeps slowing down."""

PAUSE = 2.0
"""Seconds between attempts at one server that were brought forward, however many wait for it."""
SPREAD = 0.5
"""Seconds over which attempts are spread that are brought forward together."""


def delay(kind: FailureClass, attempts: int, rng: Random) -> float | None:
    """Seconds until the next attempt after ``attempts`` (at least 1) failures in a row; None: there is none.

    transient: from 0 to 1, 2, 4 … 60; policy: from 60 to 120.
    """
    if kind == "identity":
        return None
    if kind == "policy":
        return rng.uniform(CAP, 2 * CAP)
    return rng.uniform(0.0, min(CAP, BASE * 2.0 ** min(attempts - 1, 16)))
