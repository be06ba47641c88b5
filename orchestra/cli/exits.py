"""Exit codes: a contract with scripts."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.errors import OrchestraError, RuntimeFailure, TopologyInvalid, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.model.plan import Plan


class Exit(IntEnum):
    """What every exit code means."""

    DONE = 0
    """Also: ``up`` stopped by a signal after it was ready; ``down`` when nothing runs."""
    FAILED = 1
    """At run time."""
    USAGE = 2
    """The call or the topology is wrong."""
    UNREACHABLE = 3
    """A tunnel is unreachable by the model, or an expectation failed."""
    IDENTITY = 4
    """Authentication or host key."""
    NOT_RUNNING = 5
    """``status`` of what does not run."""
    TIMEOUT = 124
    ORCHESTRA_FAILED = 125
    """``run``: orchestra itself failed, the command was not started."""
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127
    INTERRUPTED = 130
    """By SIGINT, before it was ready."""
    TERMINATED = 143
    """By SIGTERM, before it was ready."""


_BY_CODE: Mapping[str, Exit] = MappingProxyType(
    {
        Code.AUTH_FAILED: Exit.IDENTITY,
        Code.HOST_KEY_UNKNOWN: Exit.IDENTITY,
        Code.HOST_KEY_CHANGED: Exit.IDENTITY,
        Code.HOST_KEY_REVOKED: Exit.IDENTITY,
        Code.HOST_CERTIFICATE_INVALID: Exit.IDENTITY,
    }
)


def exit_of_code(code: str) -> Exit:
    """The exit code for a failure at run time, by its code; codes that are not known here are failures."""
    return _BY_CODE.get(code, Exit.FAILED)


def exit_of_error(error: OrchestraError) -> Exit:
    """The exit code for an expected error."""
    match error:
        case UsageError() | TopologyInvalid():
            return Exit.USAGE
        case RuntimeFailure(code=code):
            return exit_of_code(code)
        case _:
            return Exit.FAILED


BY_MODEL = frozenset({Code.EXPECT_FAILED, Code.LOOPBACK_ELSEWHERE})
"""Errors of a file that is well formed: the model says no."""


def exit_of_plan(plan: Plan) -> Exit:
    """The exit code for a plan that is not carried out.

    Errors that explain an unreachable tunnel, and failed expectations, are what 3 is for; any other error means that
    the topology itself is wrong.
    """
    unreachable = {tunnel.name for tunnel in plan.tunnels if tunnel.verdict == "unreachable"}
    errors = [d for d in plan.diagnostics if d.severity == "error"]
    if any(d.code not in BY_MODEL and d.tunnel not in unreachable for d in errors):
        return Exit.USAGE
    return Exit.UNREACHABLE if unreachable or errors else Exit.DONE
