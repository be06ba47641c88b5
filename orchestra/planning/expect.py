"""The file's own tests: `expect` entries, judged by the planner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic, in_file_order
from orchestra.model.address import AddressError, Endpoint, parse_address
from orchestra.model.topology import Attachment, Host
from orchestra.planning.client import choose_client
from orchestra.planning.context import make_context
from orchestra.planning.dials import attempt, attempt_by, problems_of
from orchestra.planning.elsewhere import offered_elsewhere
from orchestra.planning.reach import places_worth_trying
from orchestra.planning.services import SSH_PORT, Service, target_service
from orchestra.planning.sessions import Chain, through
from orchestra.planning.tunnels import within

if TYPE_CHECKING:
    from orchestra.model.topology import Expectation, Topology
    from orchestra.planning.context import Context
    from orchestra.plugin.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether it can be reached, and in words how or why not."""

    reachable: bool
    text: str


def check_expectations(
    topology: Topology, *, client: str | None = None, vocabulary: Vocabulary
) -> tuple[Diagnostic, ...]:
    """EXPECT_FAILED for every entry of `expect` that does not hold.

    A host in `from` is taken as here; a network as one unnamed host of it, which dials by itself or starts from here.
    """
    here = choose_client(topology, client) if len(topology.clients) < 2 or client else topology.clients[0]
    return in_file_order(
        failed
        for expectation in topology.expectations
        if (failed := _check(topology, here, vocabulary, expectation)) is not None
    )


def _check(topology: Topology, here: str, vocabulary: Vocabulary, expectation: Expectation) -> Diagnostic | None:
    from_ = expectation.from_
    if from_ in topology.networks:
        topology, here = _with_guest(topology, from_)
    elif from_ in topology.hosts:
        here = from_
    context = make_context(topology, here, vocabulary, offered_elsewhere(topology, here))
    service = _service(context, expectation.to)
    if service is None:
        return _failed(expectation, f"{expectation.to} is neither a target nor a host nor an address of the file")
    finding = _direct(context, service) if expectation.direct else _any_path(context, service, expectation.via)
    if finding.reachable == (expectation.verdict == "reachable"):
        return None
    return _failed(expectation, finding.text)


def _failed(expectation: Expectation, text: str) -> Diagnostic:
    how = " by one dial" if expectation.direct else f" via {', '.join(expectation.via)}" if expectation.via else ""
    return Diagnostic(
        code=Code.EXPECT_FAILED,
        severity="error",
        message=f"expected {expectation.to} to be {expectation.verdict} from {expectation.from_}{how}: {text}",
        place=expectation.place,
        suggestion="change the topology, or what is expected of it",
    )


def _service(context: Context, text: str) -> Service | None:
    """A target, a host (its SSH server), `host:port` of a host, or a bare address."""
    if text in context.topology.targets:
        return target_service(context, context.topology.targets[text])
    if text in context.world.hosts:
        return _of_host(context, text, None)
    try:
        address = parse_address(text)
    except AddressError:
        return None
    if not isinstance(address, Endpoint) or address.host is None or address.port is None:
        return None
    if address.host in context.world.hosts:
        return _of_host(context, address.host, address.port)
    return Service(name=text, host=text, text=address.host, port=address.port, trusted=(context.here,))


def _of_host(context: Context, name: str, port: int | None) -> Service:
    host = context.host(name)
    ssh = host.server.ssh if host.server else None
    port = port or (ssh.port if ssh else None) or SSH_PORT
    fallback = ssh.host if ssh else None
    return Service(
        name=name, host=name, text=None, port=port, behind=host.behind, fallback=fallback, trusted=(context.here,)
    )


def _with_guest(topology: Topology, network: str) -> tuple[Topology, str]:
    """The topology with one host more: an unnamed one of a network, from which the question is asked."""
    name = f"a host of {network}"
    guest = Host(name=name, kind="client", attachments=(Attachment(network=network),))
    return replace(topology, hosts={**topology.hosts, name: guest}), name


def _direct(context: Context, service: Service) -> Finding:
    dialer = context.dialer(context.here)
    made = attempt_by(context, dialer, service)
    if made.passes:
        return Finding(True, f"{dialer} dials {made.text}:{made.port}")
    return Finding(False, "; ".join(problem.text for problem in problems_of(context, made)))


def _any_path(context: Context, service: Service, via: tuple[str, ...]) -> Finding:
    tree = through(context, via, frozenset())
    if tree is None:
        return Finding(False, f"there is no way via {', '.join(via)}")
    for place, chain in within(tree, places_worth_trying(context, service)):
        made = attempt(context, place, service)
        if made.passes:
            return Finding(True, f"by way of {_path(context, chain)}, which dials {made.text}:{made.port}")
    first = attempt(context, context.here, service)
    return Finding(False, "; ".join(problem.text for problem in problems_of(context, first)) or "no server can dial it")


def _path(context: Context, chain: Chain) -> str:
    return " → ".join((context.here, *chain.servers))
