"""Which client is *here*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.model.address import LOCALHOST

if TYPE_CHECKING:
    from orchestra.model.topology import Topology


def choose_client(topology: Topology, client: str | None) -> str:
    """The client that was asked for, or the only one of the file, or ``localhost`` when it has none.

    Raises UsageError when there is no such client, TopologyInvalid (AMBIGUOUS_CLIENT) when the file has several.
    """
    clients = topology.clients
    if client is not None:
        if client in clients or (not clients and client == LOCALHOST):
            return client
        known = f"its clients are {', '.join(clients)}" if clients else "it has none, so here is localhost"
        raise UsageError(f"{topology.file} has no client {client!r}: {known}")
    if len(clients) > 1:
        raise TopologyInvalid((_ambiguous(topology),))
    return clients[0] if clients else LOCALHOST


def _ambiguous(topology: Topology) -> Diagnostic:
    clients = topology.clients
    return Diagnostic(
        code=Code.AMBIGUOUS_CLIENT,
        severity="error",
        message=f"the file has {len(clients)} clients ({', '.join(clients)}), and it is not said which of them is here",
        place=topology.place_of("clients"),
        path="clients",
        suggestion=f"give --client {clients[0]}, or set ORCHESTRA_CLIENT",
    )
