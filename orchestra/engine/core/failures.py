"""Failures as values, and their three classes.

*transient* comes and goes by itself and is tried again soon; *policy* is somebody's decision, asked about again slowly;
*identity* (who is there, who are we) is not tried again, since sshd penalises those who insist (PerSourcePenalties in
sshd_config(5)) and since a changed host key is a reason to stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.diagnostics import Code
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.errors import RuntimeFailure

FailureClass: TypeAlias = Literal["transient", "policy", "identity"]

IDENTITY = frozenset(
    {
        Code.AUTH_FAILED,
        Code.HOST_KEY_UNKNOWN,
        Code.HOST_KEY_CHANGED,
        Code.HOST_KEY_REVOKED,
        Code.HOST_CERTIFICATE_INVALID,
    }
)
POLICY = frozenset(
    {
        Code.FORWARD_REFUSED,
        Code.LISTEN_IN_USE,
        Code.LISTEN_NOT_PERMITTED,
        Code.BIND_NARROWED,
        Code.BIND_WIDENED,
        Code.PERMITOPEN_MISMATCH,
        Code.PERMITLISTEN_MISMATCH,
        Code.SECRET_UNAVAILABLE,
        Code.TRANSPORT_CANNOT,
        Code.PLUGIN_FAILED,
        Code.PROTOCOL_ERROR,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a :class:`~orchestra.errors.RuntimeFailure` says, without the exception and what hangs on it."""

    code: Code
    message: str
    host: str | None = None
    suggestion: str | None = None

    @classmethod
    def of(cls, error: RuntimeFailure) -> Failure:
        return cls(code=error.code, message=error.message, host=error.host, suggestion=error.suggestion)


def classify(code: Code) -> FailureClass:
    """The class of a code; what is not known better is transient."""
    if code in IDENTITY:
        return "identity"
    return "policy" if code in POLICY else "transient"
