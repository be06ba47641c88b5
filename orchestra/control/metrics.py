"""The status as metrics, for Prometheus and whoever reads its formats. The names are a contract, and documented.

Each answer is made of one status: numbers in it belong together, and nothing is counted twice or kept here.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from orchestra.model.measures import Durations
    from orchestra.model.status import SessionStatus, Status, TunnelStatus

SESSION_STATES = ("waiting", "connecting", "open", "retrying", "failed", "closed")
TUNNEL_STATES = ("starting", "ready", "degraded", "failed")
_DROPPED = "dropped_"
"""How the counters of a kind begin that count what it dropped, by cause."""


def exposition(status: Status, accept: str) -> tuple[bytes, str]:
    """The metrics and their content type: OpenMetrics where the ``Accept`` header asks for it, else text 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(status))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Snapshot(Collector):
    def __init__(self, status: Status) -> None:
        self._status = status

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _whole(self._status)
        yield from _sessions(self._status.sessions)
        yield from _tunnels(self._status.tunnels)


def _whole(status: Status) -> Iterator[Metric]:
    about = {"version": status.version, "name": status.name, "topology": status.topology}
    yield InfoMetricFamily("orchestra", "What runs.", value=about)
    states = GaugeMetricFamily("orchestra_state", "1 for the state of the whole, 0 for the others.", labels=["state"])
    for state in TUNNEL_STATES:
        states.add_metric([state], status.state == state)
    yield states


def _sessions(sessions: tuple[SessionStatus, ...]) -> Iterator[Metric]:
    labels = ["session", "server"]
    states = GaugeMetricFamily(
        "orchestra_session_state", "1 for the session's state, 0 for the others.", labels=[*labels, "state"]
    )
    reconnects = CounterMetricFamily("orchestra_session_reconnects", "Openings after the first.", labels=labels)
    handshakes = HistogramMetricFamily(
        "orchestra_session_handshake_seconds", "Dial to login, of openings that succeeded.", labels=labels
    )
    for session in sessions:
        values = [session.id, session.server]
        for state in SESSION_STATES:
            states.add_metric([*values, state], session.state == state)
        reconnects.add_metric(values, max(0, session.opened - 1))
        handshakes.add_metric(values, _buckets(session.handshakes), session.handshakes.total)
    yield from (states, reconnects, handshakes)


def _tunnels(tunnels: tuple[TunnelStatus, ...]) -> Iterator[Metric]:
    label = ["tunnel"]
    states = GaugeMetricFamily(
        "orchestra_tunnel_state", "1 for the tunnel's state, 0 for the others.", labels=[*label, "state"]
    )
    moved = GaugeMetricFamily(
        "orchestra_tunnel_failed_over", "1 while new connections take another path than the planned one.", labels=label
    )
    connections = GaugeMetricFamily("orchestra_tunnel_connections", "Connections that are open.", labels=label)
    accepted = CounterMetricFamily("orchestra_tunnel_accepted", "Connections that came.", labels=label)
    refused = CounterMetricFamily("orchestra_tunnel_refused", "Those that could not be carried.", labels=label)
    carried = CounterMetricFamily(
        "orchestra_tunnel_bytes", "Bytes carried: in from the target, out to it.", labels=[*label, "direction"]
    )
    dials = HistogramMetricFamily(
        "orchestra_tunnel_dial_seconds", "Dials from the exit that succeeded, the check's included.", labels=label
    )
    drops = CounterMetricFamily("orchestra_tunnel_drops", "What its kind dropped, by cause.", labels=[*label, "cause"])
    other = UnknownMetricFamily("orchestra_tunnel_counter", "What its kind counts besides.", labels=[*label, "counter"])
    for tunnel in tunnels:
        name = tunnel.name
        for state in TUNNEL_STATES:
            states.add_metric([name, state], tunnel.state == state)
        moved.add_metric([name], tunnel.failed_over)
        connections.add_metric([name], tunnel.connections)
        accepted.add_metric([name], tunnel.accepted)
        refused.add_metric([name], tunnel.refused)
        carried.add_metric([name, "in"], tunnel.bytes_in)
        carried.add_metric([name, "out"], tunnel.bytes_out)
        dials.add_metric([name], _buckets(tunnel.dials), tunnel.dials.total)
        for counter, number in sorted(tunnel.counters.items()):
            dropped = counter.startswith(_DROPPED)
            (drops if dropped else other).add_metric([name, counter.removeprefix(_DROPPED)], number)
    yield from (states, moved, connections, accepted, refused, carried, dials, drops, other)


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    return [("+Inf" if bound == inf else str(bound), number) for bound, number in durations.cumulative()]
