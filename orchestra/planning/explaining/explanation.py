"""The answer to "can FROM reach TO, and why", as a value: what text, JSON and pictures are made of.

Everything that is said carries its place in the file. Names are those of the file; an unnamed host of a network is
called ``a host of NETWORK``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.diagnostics import Code, Diagnostic, Place
    from orchestra.graph import FieldMatch, StepKind
    from orchestra.model.plan import Dial, Direction, Missing
    from orchestra.model.topology import Tunnel

CheckKind: TypeAlias = "StepKind | Literal['sshd', 'topology']"
"""What a dial meets: see :class:`orchestra.graph.Step`; ``sshd``: a server's forwarding settings; ``topology``: what
the file says beside its networks, or leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRule:
    """An allowing rule that did not decide, and field by field whether it matches: from, to, port, protocol.

    All of them match when an earlier rule denies.
    """

    rule: str
    """As people call it: ``rule 'ops-ssh'``."""
    fields: tuple[FieldMatch, ...]
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a dial meets on its way, and what it says to it."""

    kind: CheckKind
    at: str
    """The host that decides."""
    passes: bool
    text: str
    """One sentence."""
    place: Place | None = None
    """The line of the file that decides."""
    code: Code | None = None
    """Of what denies, and of what is assumed."""
    rule: str | None = None
    """The rule that decides; None also where none matches."""
    near: tuple[NearRule, ...] = ()
    """Where a filter denies: the nearest rules that allow, nearest first."""
    opposite: NearRule | None = None
    """Where a firewall denies: the rule that lets the opposite way pass."""
    missing: Missing | None = None
    """Where it denies: the permission that would do; None when none would."""
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One dial of a path, with everything that it meets: ``ssh`` opens a session, ``dial`` reaches the service.

    ``use`` is how FROM reaches a listener that another host holds.
    """

    kind: Literal["ssh", "dial", "use"]
    dial: Dial
    checks: tuple[Check, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether nothing stands against it."""
        return all(check.passes for check in self.checks)

    @property
    def denials(self) -> tuple[Check, ...]:
        """Everything that stands against it, in the order of the way."""
        return tuple(check for check in self.checks if not check.passes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A shorter path that was not taken: ``leg`` is its first dial that does not pass.

    When all its dials pass, it costs more (``cost`` against that of the path that was taken).
    """

    path: tuple[str, ...]
    """Hosts from FROM to the one that dials the service."""
    leg: Leg
    cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A way that needs no change of any firewall or server.

    ``path``: FROM's own sessions do it, once nothing forbids them (``via``, one bare dial). ``listener``: the other
    direction. ``holder`` has a session to the server ``at``, listens there and passes on what it accepts; FROM comes
    to that listener by sessions of its own, or dials it at once.
    """

    kind: Literal["path", "listener"]
    text: str
    """One sentence."""
    holder: str
    path: tuple[str, ...]
    """Hosts in the order of flow, from FROM to the one that dials the service."""
    inner: tuple[Leg, ...]
    """The holder's dials: its sessions, then the service."""
    outer: tuple[Leg, ...] = ()
    """FROM's dials: its sessions, then the listener."""
    at: str | None = None
    listen: str | None = None
    """The address at ``at``, as in ``listen:`` of a tunnel."""
    tunnel: Tunnel | None = None
    """What would say so in the file; None unless the holder is a client, and TO a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Whether FROM can reach TO, by which path, and why.

    Reachable: ``legs`` is the path that would be taken, ``rejected`` are the shorter ones that would not do.
    Unreachable: ``legs`` is the complete path that lacks the least, with everything that is denied on it.
    """

    topology: str
    file: str
    from_: str
    to: str
    """Both as they were asked."""
    dialer: str
    """The host that FROM is: itself, or ``a host of NETWORK``."""
    host: str | None
    """The host that TO is on; None when the file declares nobody there."""
    port: int | None
    protocol: str
    reachable: bool
    direction: Direction
    """``direct`` or ``local``: FROM is where everything begins."""
    path: tuple[str, ...]
    """Hosts from FROM to the one that dials the service."""
    cost: int = 0
    legs: tuple[Leg, ...] = ()
    missing: tuple[Missing, ...] = ()
    """The least set of permissions that would open it; empty also when no permission would."""
    offers: tuple[Offer, ...] = ()
    """Of what is unreachable: ways that need no change, the best first."""
    rejected: tuple[Rejected, ...] = ()
    assumed: tuple[Diagnostic, ...] = ()
    """What was believed rather than read, each with its code."""
    via: tuple[str, ...] = ()
    direct: bool = False
    """Asked for one bare dial, without any session."""

    @property
    def verdict(self) -> Literal["reachable", "unreachable"]:
        """In one word."""
        return "reachable" if self.reachable else "unreachable"

    @property
    def denials(self) -> tuple[Check, ...]:
        """Everything that stands against it, in the order of the path."""
        return tuple(check for leg in self.legs for check in leg.denials)

    @property
    def unprotected(self) -> bool:
        """Whether it leaves the machine without an SSH session around it."""
        return self.direction == "direct" and any(check.kind != "own" for leg in self.legs for check in leg.checks)


def in_short(explanation: Explanation) -> str:
    """The verdict in one sentence: by which path, or what is first in the way."""
    legs = explanation.legs
    if explanation.reachable:
        last = legs[-1].dial
        over = (
            f"by way of {' → '.join(explanation.path)}, which dials"
            if len(explanation.path) > 1
            else f"{last.by} dials"
        )
        return f"{over} {last}"
    denied = [(leg, check) for leg in legs for check in leg.denials]
    if not denied:
        return "no server can dial it"
    leg, check = denied[0]
    more = f" (and {len(denied) - 1} more on the way)" if len(denied) > 1 else ""
    where = f" ({check.place})" if check.place else ""
    return f"{leg.dial.by} cannot dial {leg.dial} ({leg.dial.means or 'not declared'}): {check.text}{where}{more}"
