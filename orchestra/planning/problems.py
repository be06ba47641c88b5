"""What stands against a dial or a listener, and how much it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.diagnostics import Place
    from orchestra.model.plan import Missing

STRUCTURAL = 1000
"""The weight of what takes another topology rather than a permission, in permissions."""
HOPELESS = 1_000_000
"""The weight of what this dialer can never do: dial the loopback of another host, for instance."""


SUGGESTIONS = {
    Code.FIREWALL_DENY_RULE: "an allow rule in front of it would let this pass",
    Code.FIREWALL_DEFAULT_DENY: "a rule that allows this flow would let it pass",
    Code.INBOUND_DENY: "a rule in `inbound` that allows this flow would let it pass",
    Code.NAT_UNMAPPED: "publish it by a nat entry there, or go by another server inside",
    Code.NAT_HAIRPIN: "dial an address of its own there, or let the firewall masquerade on that network",
    Code.NO_SHARED_NETWORK: "attach both to one network, or declare the firewall between their networks",
    Code.NO_ROUTE_DECLARED: "declare the firewall that leads there, or name a server that can dial it",
    Code.AMBIGUOUS_ADDRESS: "dial it from a host on its own network, or by a name",
    Code.FAMILY_MISMATCH: "give both ends an address of the same family",
}
"""What would have to change, by the code of what stands against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What stands against a dial or a listener. ``missing``: the permission that would do; None: none would."""

    code: Code
    text: str
    at: str
    place: Place | None = None
    missing: Missing | None = None
    suggestion: str | None = None
    hopeless: bool = False

    @property
    def weight(self) -> int:
        """How much it counts in the search for the least set of permissions."""
        if self.missing is not None:
            return 1
        if self.code is Code.NO_ADDRESS_AT_HOP:  # an address is easier to add than a network
            return STRUCTURAL // 2
        return HOPELESS if self.hopeless else STRUCTURAL


def own_only(what: str, address: object, host: str, dialer: object | None = None) -> str:
    """What LOOPBACK_ELSEWHERE says of a loopback or a unix socket, and of the one who would dial it."""
    text = f"{what} listens on {address} of {host}, which only {host} can dial"
    return text if dialer is None else f"{text}: dialed by {dialer}, it is {dialer}"
