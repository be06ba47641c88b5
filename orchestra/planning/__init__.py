"""(topology, here) to plan: which sessions, listeners and dials make the tunnels true, or why there is no way.

:func:`make_plan` answers for tunnels, :func:`plan_connection` for one connection, :func:`check_expectations` for the
file's own tests, :func:`check_statically` for what is wrong whatever the paths are, :func:`explain` for any pair,
:func:`unused_parts` for what nothing of the file uses; :mod:`~orchestra.planning.impact` for what would be lost without
some hosts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.lazily import lazily

if TYPE_CHECKING:
    from orchestra.planning.client import choose_client
    from orchestra.planning.connection import STREAMS
    from orchestra.planning.explaining.expect import check_expectations, unmet_expectations
    from orchestra.planning.explaining.explain import explain
    from orchestra.planning.explaining.explanation import Explanation
    from orchestra.planning.explaining.permissions import with_permissions
    from orchestra.planning.lint.usage import unused_parts
    from orchestra.planning.plan import make_plan, plan_connection
    from orchestra.planning.static import check_statically

__all__ = [
    "STREAMS",
    "Explanation",
    "check_expectations",
    "check_statically",
    "choose_client",
    "explain",
    "make_plan",
    "plan_connection",
    "unmet_expectations",
    "unused_parts",
    "with_permissions",
]

__getattr__ = lazily(
    __name__,
    {
        "STREAMS": "connection",
        "Explanation": "explaining.explanation",
        "check_expectations": "explaining.expect",
        "check_statically": "static",
        "choose_client": "client",
        "explain": "explaining.explain",
        "make_plan": "plan",
        "plan_connection": "plan",
        "unmet_expectations": "explaining.expect",
        "unused_parts": "lint.usage",
        "with_permissions": "explaining.permissions",
    },
)
"""Who plans does not wait for what explains, compares and checks."""
