"""What text is dialed: every way in which a dialer could write the address of a service, in order of preference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph import seen_from
from orchestra.graph.nat import publications
from orchestra.model.address import WILDCARD, is_loopback, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.planning.services import EVERY_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import Dialer, World
    from orchestra.planning.services import Listening, Service


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address to try, and the machine that it has to mean to the dialer."""

    text: str
    port: int
    meant: str


def candidates(world: World, dialer: Dialer, service: Service) -> tuple[Candidate, ...]:
    """In order: what nat publishes for it on the way; the host text as written; its addresses as the dialer sees
    them; its names; then listeners by which other clients offer it."""
    own = world.same_machine(dialer.host, service.host)
    texts = [*_at_home(world, dialer, service)] if own else [*_from_outside(world, dialer, service)]
    texts += [
        (text, each.port, each.at) for each in service.listeners for text in _listening_texts(world, dialer, each)
    ]
    return tuple(dict.fromkeys(Candidate(*each) for each in texts))


def _at_home(world: World, dialer: Dialer, service: Service) -> Iterator[tuple[str, int, str]]:
    """The dialer is the service's own host."""
    meant, port = service.host, service.port
    if not service.everywhere and service.text is not None:
        yield service.text, port, meant
    else:
        for loopback in EVERY_ADDRESS[service.text]:
            yield loopback, port, meant
    if not service.on_loopback:
        for text in _addresses(world, dialer, service):
            yield text, port, meant
        for text in _names(world, dialer, service.host):
            yield text, port, meant


def _from_outside(world: World, dialer: Dialer, service: Service) -> Iterator[tuple[str, int, str]]:
    if service.on_loopback:
        return
    meant, port = service.host, service.port
    for each in publications(world, dialer, service.host, port, service.protocol):
        yield str(each.address), each.port, meant
    if not service.everywhere and service.text is not None:
        yield service.text, port, meant
    for text in _addresses(world, dialer, service):
        yield text, port, meant
    if service.fallback is not None:
        yield service.fallback, port, meant
    if not service.one_address:
        for text in _names(world, dialer, service.host):
            yield text, port, meant


def _addresses(world: World, dialer: Dialer, service: Service) -> Iterator[str]:
    """The addresses at which the service listens, as the dialer sees them."""
    if service.one_address:
        return
    for party in seen_from(world, dialer, service.host):
        if party.address is not None and not (service.text == "0.0.0.0" and party.address.version != 4):  # noqa: S104
            yield str(party.address)


def _names(world: World, dialer: Dialer, host: str) -> Iterator[str]:
    declared = world.hosts.get(host)
    for name in declared.names if declared else ():
        if name.network is None or name.network in dialer.networks:
            yield name.text


def _listening_texts(world: World, dialer: Dialer, listening: Listening) -> tuple[str, ...]:
    own = world.same_machine(dialer.host, listening.at)
    if listening.host == WILDCARD or listening.host in EVERY_ADDRESS:
        seen = tuple(str(party.address) for party in seen_from(world, dialer, listening.at) if party.address)
        return (*EVERY_ADDRESS[listening.host], *seen) if own else seen
    if is_loopback(listening.host) and not own:
        return ()
    if parse_ip(listening.host) is None and is_loopback(listening.host):
        return ("127.0.0.1", "::1")
    return (listening.host,)
