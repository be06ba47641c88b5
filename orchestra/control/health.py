"""Whether it is ready, as probes ask for it: yes or no, and the reason in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.frozen import dataclass
from orchestra.model.text import clean

if TYPE_CHECKING:
    from orchestra.model.status import Status, TunnelStatus


@dataclass(frozen=True, slots=True)
class Health:
    """An answer to a probe; ``text`` ends each of its lines."""

    ok: bool
    text: str


def readiness(status: Status, *, verbose: bool) -> Health:
    """Of the whole: a line for it, then one for every tunnel. ``verbose``: with messages, which name hosts."""
    ok = status.state == "ready"
    lines = [f"{'ready' if ok else f'not ready: {status.state}'}", *(_line(t, verbose) for t in status.tunnels)]
    return Health(ok, "".join(f"{line}\n" for line in lines))


def tunnel_readiness(status: Status, name: str, *, verbose: bool) -> Health | None:
    """Of one tunnel, optional or not; None when there is none of that name."""
    for tunnel in status.tunnels:
        if tunnel.name == name:
            return Health(tunnel.state == "ready", f"{_line(tunnel, verbose)}\n")
    return None


def _line(tunnel: TunnelStatus, verbose: bool) -> str:
    """As Kubernetes writes its own: ``[+]db ready``, ``[-]web degraded: CONNECT_REFUSED``."""
    sign = "[+]" if tunnel.state == "ready" else "[-]"
    optional = " (optional)" if tunnel.optional else ""
    error = tunnel.error
    why = "" if error is None else f": {error.code} {error.message}" if verbose else f": {error.code}"
    return clean(f"{sign}{tunnel.name} {tunnel.state}{optional}{why}", 1000)
