"""What a lab supplies. The engine, control and state code are the same with and without one."""

from __future__ import annotations

from typing import Protocol

from orchestra.model.frozen import dataclass
from orchestra.model.topology import Topology
from orchestra.session.protocols import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What a firewall let pass to one destination port, in packets of new connections."""

    firewall: str
    protocol: str
    port: int
    packets: int


class Lab(Protocol):
    """A running lab; everything in it goes when it is closed, or when this process dies."""

    name: str

    @property
    def here(self) -> Session:
        """The client's place: its dials enter the lab as that client, its listeners are this machine's own."""
        ...

    @property
    def topology(self) -> Topology:
        """The topology that was asked for, with the lab's own users, keys and host keys in place of the file's."""
        ...

    def place(self, host: str) -> Session:
        """Any host of the lab, as a place that dials and listens inside it (for demos and tests)."""
        ...

    def guest(self, network: str) -> Session:
        """An unnamed host of a network, as a place."""
        ...

    async def counters(self) -> tuple[Counter, ...]:
        """What the firewalls let pass so far, sorted."""
        ...

    async def stop_server(self, host: str) -> None:
        """Ends a host's SSH server and its connections at once, as a crash would."""
        ...

    async def start_server(self, host: str) -> None:
        """Starts it again, with the same host key."""
        ...

    async def stop_target(self, target: str) -> None:
        """Ends the stub of a target; its port then refuses."""
        ...

    async def start_target(self, target: str) -> None:
        """Starts it again."""
        ...

    async def close(self) -> None:
        """Takes everything down and waits for it."""
        ...
