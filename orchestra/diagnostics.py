"""Problems as values: a stable code, a severity, a place in a file, a message for people and what to do about it.

Loading and planning collect diagnostics and go on; they never stop at the first. A code never changes its meaning;
new ones may be added, so a reader of codes has to tolerate values that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity: TypeAlias = Literal["error", "warning", "info"]

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands in the file: ``("firewalls", "edge", "rules", 2)``."""


class Code(StrEnum):
    """Every code that orchestra can say. Documented, one by one, in ``docs/codes.md``."""

    # the file
    NO_SUCH_FILE = "NO_SUCH_FILE"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    YAML_SYNTAX = "YAML_SYNTAX"
    YAML_LIMIT = "YAML_LIMIT"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    MISSING_KEY = "MISSING_KEY"
    BAD_TYPE = "BAD_TYPE"
    BAD_VALUE = "BAD_VALUE"
    BAD_ADDRESS = "BAD_ADDRESS"
    BAD_CIDR = "BAD_CIDR"
    INCLUDE_LOOP = "INCLUDE_LOOP"
    UNSET_VARIABLE = "UNSET_VARIABLE"
    UNKNOWN_NAME = "UNKNOWN_NAME"
    DUPLICATE_NAME = "DUPLICATE_NAME"
    DUPLICATE_ADDRESS = "DUPLICATE_ADDRESS"
    ADDRESS_OUTSIDE_NETWORK = "ADDRESS_OUTSIDE_NETWORK"
    DUPLICATE_VARIABLE = "DUPLICATE_VARIABLE"
    REQUIREMENT_UNMET = "REQUIREMENT_UNMET"
    SSH_CONFIG_INVALID = "SSH_CONFIG_INVALID"
    SSH_CONFIG_REFUSED = "SSH_CONFIG_REFUSED"
    SSH_CONFIG_IGNORED = "SSH_CONFIG_IGNORED"

    # the model: dials
    NO_ROUTE_DECLARED = "NO_ROUTE_DECLARED"
    NO_SHARED_NETWORK = "NO_SHARED_NETWORK"
    NO_ADDRESS_AT_HOP = "NO_ADDRESS_AT_HOP"
    AMBIGUOUS_ADDRESS = "AMBIGUOUS_ADDRESS"
    AMBIGUOUS_EXIT = "AMBIGUOUS_EXIT"
    AMBIGUOUS_CLIENT = "AMBIGUOUS_CLIENT"
    LOOPBACK_ELSEWHERE = "LOOPBACK_ELSEWHERE"
    FAMILY_MISMATCH = "FAMILY_MISMATCH"
    NAT_UNMAPPED = "NAT_UNMAPPED"
    NAT_HAIRPIN = "NAT_HAIRPIN"
    FIREWALL_DENY_RULE = "FIREWALL_DENY_RULE"
    FIREWALL_DEFAULT_DENY = "FIREWALL_DEFAULT_DENY"
    FIREWALL_WRONG_DIRECTION = "FIREWALL_WRONG_DIRECTION"
    INBOUND_DENY = "INBOUND_DENY"
    RULE_SHADOWED = "RULE_SHADOWED"
    RULE_UNMATCHABLE = "RULE_UNMATCHABLE"
    RULE_UNUSED = "RULE_UNUSED"
    NETWORKS_OVERLAP = "NETWORKS_OVERLAP"
    NAME_DIFFERS = "NAME_DIFFERS"

    # the model: servers, tunnels
    NOT_AN_SSH_SERVER = "NOT_AN_SSH_SERVER"
    FORWARDING_DISABLED = "FORWARDING_DISABLED"
    PERMITOPEN_MISMATCH = "PERMITOPEN_MISMATCH"
    PERMITLISTEN_MISMATCH = "PERMITLISTEN_MISMATCH"
    GATEWAY_PORTS_DISABLED = "GATEWAY_PORTS_DISABLED"
    TRANSPORT_CANNOT = "TRANSPORT_CANNOT"
    KIND_CANNOT = "KIND_CANNOT"
    LISTEN_CONFLICT = "LISTEN_CONFLICT"
    LISTEN_EXPOSED = "LISTEN_EXPOSED"
    LISTEN_ANY_PORT = "LISTEN_ANY_PORT"
    LOOPBACK_MISSING = "LOOPBACK_MISSING"
    VIA_UNSATISFIED = "VIA_UNSATISFIED"
    AVOID_UNSATISFIED = "AVOID_UNSATISFIED"
    EXPECT_FAILED = "EXPECT_FAILED"
    SETTING_UNUSED = "SETTING_UNUSED"
    NO_OTHER_PATH = "NO_OTHER_PATH"
    SERVER_UNUSED = "SERVER_UNUSED"
    TARGET_UNREACHED = "TARGET_UNREACHED"
    UNPROTECTED_DIRECT = "UNPROTECTED_DIRECT"
    HELPER_NEEDED = "HELPER_NEEDED"

    # what was assumed
    ASSUMED_REACHABLE = "ASSUMED_REACHABLE"
    ASSUMED_NAME_RESOLVES = "ASSUMED_NAME_RESOLVES"
    ASSUMED_SSH_PORT = "ASSUMED_SSH_PORT"

    # run time
    NAME_UNRESOLVED = "NAME_UNRESOLVED"
    CONNECT_REFUSED = "CONNECT_REFUSED"
    CONNECT_TIMEOUT = "CONNECT_TIMEOUT"
    CONNECT_FAILED = "CONNECT_FAILED"
    AUTH_FAILED = "AUTH_FAILED"
    HOST_KEY_UNKNOWN = "HOST_KEY_UNKNOWN"
    HOST_KEY_CHANGED = "HOST_KEY_CHANGED"
    HOST_KEY_REVOKED = "HOST_KEY_REVOKED"
    HOST_CERTIFICATE_INVALID = "HOST_CERTIFICATE_INVALID"
    SERVER_BUSY = "SERVER_BUSY"
    PROTOCOL_ERROR = "PROTOCOL_ERROR"
    SESSION_LOST = "SESSION_LOST"
    SECRET_UNAVAILABLE = "SECRET_UNAVAILABLE"  # noqa: S105 - a code, no secret
    LISTEN_IN_USE = "LISTEN_IN_USE"
    LISTEN_FAILED = "LISTEN_FAILED"
    LISTEN_NOT_PERMITTED = "LISTEN_NOT_PERMITTED"
    FORWARD_REFUSED = "FORWARD_REFUSED"
    BIND_UNVERIFIED = "BIND_UNVERIFIED"
    BIND_NARROWED = "BIND_NARROWED"
    BIND_WIDENED = "BIND_WIDENED"
    DIAL_FAILED = "DIAL_FAILED"
    NOT_ALLOWED = "NOT_ALLOWED"
    CHECK_FAILED = "CHECK_FAILED"
    HELPER_FAILED = "HELPER_FAILED"
    PLUGIN_FAILED = "PLUGIN_FAILED"
    ALREADY_RUNNING = "ALREADY_RUNNING"
    STATE_UNWRITABLE = "STATE_UNWRITABLE"
    VERSION_MISMATCH = "VERSION_MISMATCH"
    LAB_UNAVAILABLE = "LAB_UNAVAILABLE"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a source file; line and column count from 1, the column in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem, or one thing that was assumed.

    ``message`` says what is wrong in one sentence; ``suggestion`` what to do, also a sentence; ``path`` is the key
    path as people write it (``firewalls.edge.rules[2].allow.to``). ``tunnel`` names the tunnel it concerns, if one.
    """

    code: Code
    severity: Severity
    message: str
    place: Place | None = None
    path: str | None = None
    suggestion: str | None = None
    tunnel: str | None = None

    def about(self, tunnel: str) -> Diagnostic:
        """The same problem, said of one tunnel."""
        return replace(self, tunnel=tunnel)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(d.severity == "error" for d in diagnostics)


def in_file_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Without repetitions, sorted as a reader of the file meets them; those without a place come last."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.place is None, d.place or Place("", 0, 0), d.code, d.message)))


def write_key_path(path: KeyPath) -> str:
    """``("firewalls", "edge", "rules", 2)`` as ``firewalls.edge.rules[2]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text
