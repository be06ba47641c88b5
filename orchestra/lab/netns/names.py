"""Which names each machine resolves, and to what: the same table is its /etc/hosts and what its dials use. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.lab.netns.layout import Layout, Machine, host_text
from orchestra.lab.netns.ways import next_hop
from orchestra.model.address import LOOPBACKS, IPAddress, is_loopback, parse_ip
from orchestra.model.topology import Host


def names_seen_by(layout: Layout, dialer: Machine) -> dict[str, tuple[str, ...]]:
    """Name, in lower case, to addresses in the order in which to try them. ``localhost`` is the dialer."""
    table: dict[str, list[str]] = {"localhost": list(LOOPBACKS)}
    for (machine, text), addresses in sorted(layout.texts.items()):
        if machine == dialer.name and parse_ip(text) is None:
            table[text.rstrip(".")] = [str(address) for address in addresses]
    for _, host in sorted(layout.topology.hosts.items()):
        for text, network in _names(layout, host):
            if network is not None and dialer.on(network) is None:
                continue
            known = table.setdefault(text.lower().rstrip("."), [])
            known += [text for a in _addresses(layout, dialer, host, network) if (text := str(a)) not in known]
    return {name: tuple(addresses) for name, addresses in table.items() if addresses}


def hosts_file(names: dict[str, tuple[str, ...]]) -> str:
    """As hosts(5)."""
    return "".join(f"{address}\t{name}\n" for name, addresses in names.items() for address in addresses)


def _names(layout: Layout, host: Host) -> Iterator[tuple[str, str | None]]:
    yield from ((name.text, name.network) for name in host.names)
    texts = [host_text(layout.topology, host)]
    texts += [
        getattr(target.address, "host", None) for target in layout.topology.targets.values() if target.host == host.name
    ]
    yield from ((text, None) for text in texts if text and parse_ip(text) is None and not is_loopback(text))


def _addresses(layout: Layout, dialer: Machine, host: Host, network: str | None) -> tuple[IPAddress, ...]:
    """A host's addresses for a dialer: on a network that they share, else on any that the dialer has a way to."""
    machine = layout.of(host.name)
    if network is not None:
        interface = machine.on(network)
        return interface.addresses if interface else ()
    if machine is dialer and not machine.addresses:
        return tuple(address for text in LOOPBACKS if (address := parse_ip(text)))
    shared = [interface for interface in machine.interfaces if dialer.on(interface.segment)]
    ways = shared or [i for i in machine.interfaces if next_hop(layout, dialer, i.segment)]
    return tuple(address for interface in ways for address in interface.addresses)
