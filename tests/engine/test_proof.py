"""Remote listeners are proven: dialed from their own server, and recognised by the channel that comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.listening import Bound, listen
from orchestra.engine.proof import gate_for, verify
from orchestra.model.plan import ListenProbe
from orchestra.session.errors import BindRefused, DialRefused
from orchestra.session.protocols import Accept, Listener, Peer, Receiver
from orchestra.testing import Collector, MemoryNetwork, MemorySession, run_virtual
from tests.engine import plans

OFFICE = "10.20.0.2"
LOOPBACKS = ("127.0.0.1", "::1")


class Sshd(MemorySession):
    """A server that binds what its ``GatewayPorts`` makes of a request; ``answers`` is where one of its addresses
    reaches the listener. ``forbids``: AllowTcpForwarding remote."""

    def __init__(self, network: MemoryNetwork, answers: tuple[str, ...], *, forbids: bool = False) -> None:
        super().__init__(network, "gateway")
        network.sessions.append(self)
        self.answers, self.forbids = answers, forbids
        self.dials: list[str] = []

    async def create_connection(self, make: Any, host: str, port: int) -> Any:
        self.dials.append(host)
        if self.forbids:
            raise DialRefused(Code.FORWARD_REFUSED, "gateway: the server's policy forbids it", host="gateway")
        if host not in self.answers:
            raise DialRefused(Code.CONNECT_REFUSED, "gateway: connection refused", host="gateway")
        return await super().create_connection(make, "127.0.0.1", port)


class Users:
    """Counts who gets through to the kind's accept."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []

    async def accept(self, peer: Peer) -> Receiver:
        self.peers.append(peer)
        return Collector()


def probes(*, loopback: Any, office: Any) -> tuple[ListenProbe, ...]:
    inner = tuple(ListenProbe(host=host, expect=loopback) for host in LOOPBACKS)
    return (*inner, ListenProbe(host=OFFICE, expect=office, network="office"))


def prove(
    answers: tuple[str, ...], expected: tuple[ListenProbe, ...], *, exposed: bool = False, said: str = "", **sshd: Any
) -> tuple[str, ...]:
    """The notes; nobody's connection reached the kind. ``said``: the server's own word that it widened it."""

    async def main() -> tuple[str, ...]:
        session, users = Sshd(MemoryNetwork(), answers, **sshd), Users()
        planned = plans.listen("localhost", port=8080, at="gateway", probes=expected)
        planned = replace(planned, exposed=exposed)
        gate = gate_for(planned, users.accept)
        bound = await listen(session, planned, gate)
        if said:
            bound.listeners[0].widened = said  # type: ignore[attr-defined]
        try:
            return await verify(session, gate, planned, bound)
        finally:
            gate.open()
            bound.close()
            assert users.peers == []
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert session.streams == set()

    return run_virtual(main())


def test_loopback_as_asked() -> None:
    assert prove(LOOPBACKS, probes(loopback="open", office="closed")) == ()


def test_a_server_without_ipv6_has_one_loopback() -> None:
    assert prove(("127.0.0.1",), probes(loopback="open", office="closed")) == ()


def test_nothing_at_loopback_is_not_what_was_asked_for() -> None:
    with pytest.raises(BindRefused, match=r"127\.0\.0\.1:8080 and \[::1\]:8080, but nothing of ours") as refused:
        prove((), probes(loopback="open", office="closed"))
    assert refused.value.code == Code.BIND_NARROWED


def test_wider_than_asked_fails() -> None:
    with pytest.raises(BindRefused, match=r"not to listen on 10\.20\.0\.2:8080 on office, but does") as refused:
        prove((*LOOPBACKS, OFFICE), probes(loopback="open", office="closed"))
    assert refused.value.code == Code.BIND_WIDENED
    assert refused.value.host == "gateway"


def test_narrower_than_asked_fails() -> None:
    with pytest.raises(BindRefused, match=r"was to listen on 10\.20\.0\.2:8080 on office, but does not") as refused:
        prove(LOOPBACKS, probes(loopback="any", office="open"))
    assert refused.value.code == Code.BIND_NARROWED


def test_narrowed_to_loopback_is_narrower_and_not_wider() -> None:
    with pytest.raises(BindRefused) as refused:
        prove(LOOPBACKS, probes(loopback="closed", office="open"))
    assert refused.value.code == Code.BIND_NARROWED


def test_wider_where_the_file_allows_it_is_said() -> None:
    notes = prove((*LOOPBACKS, OFFICE), probes(loopback="open", office="any"))
    assert notes == ("gateway listens on 10.20.0.2:8080 on office, for everyone who can dial it there",)


def test_where_another_of_ours_listens_nothing_is_dialed() -> None:
    async def test(session: Sshd, users: Users, gate: Any, listener: Listener) -> None:
        planned = plans.listen(probes=probes(loopback="open", office="closed"))
        bound = Bound(listeners=(listener,), addresses=("127.0.0.1:8080",), port=8080)
        assert await verify(session, gate, planned, bound, lambda: ("10.20.0.2:8080",)) == ()
        assert session.dials == list(LOOPBACKS)

    on_gateway(test)


def test_where_dialing_is_forbidden_it_is_unverified() -> None:
    notes = prove(LOOPBACKS, probes(loopback="open", office="closed"), forbids=True)
    assert len(notes) == 3
    assert all(note.startswith("BIND_UNVERIFIED: gateway may not dial ") for note in notes)


def on_gateway(test: Callable[[Sshd, Users, Any, Listener], Awaitable[None]]) -> None:
    async def main() -> None:
        session, users = Sshd(MemoryNetwork(), LOOPBACKS), Users()
        planned = plans.listen("localhost", port=8080, at="gateway", probes=probes(loopback="open", office="closed"))
        gate = gate_for(planned, users.accept)
        bound = await listen(session, planned, gate)
        await test(session, users, gate, bound.listeners[0])
        bound.close()

    run_virtual(main())


INNER = tuple(ListenProbe(host=host, expect="open") for host in LOOPBACKS)
OVERRIDDEN = 'Forwarding listen address "localhost" overridden by server GatewayPorts'


def test_the_servers_own_word_that_it_listens_on_more_is_enough() -> None:
    """The file declares no address at which it could be dialed."""
    with pytest.raises(BindRefused, match="overridden by server GatewayPorts") as refused:
        prove(LOOPBACKS, INNER, said=OVERRIDDEN)
    assert refused.value.code == Code.BIND_WIDENED


def test_more_that_the_file_means_is_no_failure() -> None:
    assert prove(LOOPBACKS, probes(loopback="any", office="any"), exposed=True, said=OVERRIDDEN) == ()


def test_what_is_for_others_and_cannot_be_dialed_is_taken_on_trust() -> None:
    (note,) = prove(LOOPBACKS, INNER, exposed=True)
    assert note.startswith("BIND_UNVERIFIED: no address of gateway beyond loopback is declared")


def peer(host: str | None) -> Peer:
    return Peer(host=host, port=None, text=str(host))


def test_somebody_elses_service_at_the_port_is_not_ours() -> None:
    """It is not spoken to either, since no channel came back."""

    async def test(session: Sshd, users: Users, gate: Any, listener: Listener) -> None:
        stranger = Collector()

        async def accept(peer: Peer) -> Receiver:
            return stranger

        listener.close()
        await MemorySession.create_server(session, accept, "*", 8080)
        planned = plans.listen(probes=probes(loopback="open", office="closed"))
        bound = Bound(listeners=(listener,), addresses=("127.0.0.1:8080",), port=8080)
        with pytest.raises(BindRefused) as refused:
            await verify(session, gate, planned, bound)
        assert refused.value.code == Code.BIND_NARROWED
        assert not stranger.data

    on_gateway(test)


def test_users_from_elsewhere_are_served_while_probes_run() -> None:
    async def test(session: Sshd, users: Users, gate: Accept, listener: Listener) -> None:
        await gate(peer("10.20.0.77"))
        assert [p.host for p in users.peers] == ["10.20.0.77"]
        for host in (None, "127.0.0.1", "::1", "::ffff:127.0.0.1", OFFICE):
            await gate(peer(host))
        assert len(users.peers) == 1

    on_gateway(test)


class Hasty(Users):
    """Knows at once who receives."""

    async def __call__(self, peer: Peer) -> Receiver:
        return await self.accept(peer)

    def at_once(self, _peer: Any, /) -> Receiver | None:
        return Collector()


def test_nobody_is_received_at_once_during_the_proof_and_after_it_only_by_who_can() -> None:
    planned, who = plans.listen(probes=probes(loopback="open", office="closed")), cast(Any, peer("10.20.0.77"))
    waited_for, hasty = gate_for(planned, Users().accept), gate_for(planned, Hasty())
    assert hasty.at_once(who) is None
    for gate in (waited_for, hasty):
        gate.open()
    assert waited_for.at_once(who) is None
    assert isinstance(hasty.at_once(who), Collector)


def test_a_local_user_is_turned_away_during_the_proof_and_served_after_it() -> None:
    async def test(session: Sshd, users: Users, gate: Any, listener: Listener) -> None:
        stream, early = await session.create_connection(Collector, "127.0.0.1", 8080)
        stream.write(b"a guess of 16 by")
        await early.ended.wait()
        assert early.error is not None
        gate.open()
        await session.create_connection(Collector, "127.0.0.1", 8080)
        assert len(users.peers) == 1

    on_gateway(test)
