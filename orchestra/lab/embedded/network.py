"""The virtual network: who listens where, as each machine sees itself, and the dials between them."""

from __future__ import annotations

import errno
import os
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import cycle
from typing import TypeAlias

from orchestra.lab.embedded.walk import Arrival, Passage, walk
from orchestra.lab.embedded.wire import Wire
from orchestra.lab.embedded.world import World
from orchestra.model.address import LOOPBACKS, WILDCARD, IPAddress

ANY = (ip_address("0.0.0.0"), ip_address("::"))  # noqa: S104 - of the lab's machines
EPHEMERAL = 32768

Accepted: TypeAlias = Callable[[socket.socket, IPAddress, int], None]
"""Takes a connected, non-blocking socket, with the address and port that it comes from, as the listener sees them."""


@dataclass(frozen=True, eq=False)
class Binding:
    """An address and a port of a machine, taken by a listener."""

    machine: str
    address: IPAddress
    port: int
    accepted: Accepted

    def covers(self, address: IPAddress) -> bool:
        """Whether a connection to the address is for this listener; a wildcard is for its own family."""
        return self.address == address or (self.address in ANY and self.address.version == address.version)


class VirtualNetwork:
    """All machines of a world. Errors are those of a kernel and of getaddrinfo: OSError, socket.gaierror."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.passed: Counter[Passage] = Counter()
        self._bound: dict[tuple[str, int], list[Binding]] = {}
        self._wire = Wire()
        self._ports = cycle(range(EPHEMERAL, 65536))

    def close(self) -> None:
        """No more dials."""
        self._bound.clear()
        self._wire.close()

    async def connect(self, dialer: str, host: str, port: int) -> socket.socket:
        """A host dials. What a firewall drops times out at once: nobody waits for what is known."""
        addresses = self.world.resolve(dialer, host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        failure = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        for address in addresses:
            try:
                return self._connect(dialer, address, port)
            except OSError as error:
                failure = error
        raise failure

    def bind(self, host: str, address: IPAddress, port: int, accepted: Accepted) -> Binding:
        """Listens on one address of a host, 0.0.0.0 and :: standing for all of a family; port 0: any free one."""
        if not (address in ANY or address.is_loopback or address in self.world.addresses(host)):
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        machine = self.world.machine(host)
        binding = Binding(machine, address, port or self.free_port(host), accepted)
        taken = self._bound.setdefault((machine, binding.port), [])
        if any(other.covers(address) or binding.covers(other.address) for other in taken):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        taken.append(binding)
        return binding

    def unbind(self, binding: Binding) -> None:
        """Listens no more; does nothing the second time."""
        taken = self._bound.get((binding.machine, binding.port), [])
        if binding in taken:
            taken.remove(binding)

    def free_port(self, host: str) -> int:
        """A port that nobody uses on a host, in either family."""
        machine = self.world.machine(host)
        return next(port for port in self._ports if not self._bound.get((machine, port)))

    def local_addresses(self, host: str, text: str) -> tuple[IPAddress, ...]:
        """What a host listens on for a host text: ``*`` or nothing is every address, ``localhost`` both loopbacks."""
        if text in ("", WILDCARD):
            return ANY
        own = {*self.world.addresses(host), *map(ip_address, LOOPBACKS), *ANY}
        found = tuple(each for each in self.world.resolve(host, text) if each in own or each.is_loopback)
        if not found:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        return found

    def _connect(self, dialer: str, address: IPAddress, port: int) -> socket.socket:
        end = walk(self.world, dialer, address, port)
        self.passed.update(end.passed)
        if not isinstance(end, Arrival):
            number = errno.ETIMEDOUT if end.how == "dropped" else errno.EHOSTUNREACH
            raise OSError(number, os.strerror(number))
        bindings = self._bound.get((self.world.machine(end.host), end.flow.port), ())
        binding = next((each for each in bindings if each.covers(end.flow.destination)), None)
        if binding is None:
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        near, far = self._wire.pair()
        binding.accepted(far, end.flow.source, near.getsockname()[1])
        return near
