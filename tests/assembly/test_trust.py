"""Which servers are looked at, in which order, and what becomes of each."""

import asyncio
from dataclasses import replace

import pytest

from orchestra.assembly.trust import Tour, sessions_to
from orchestra.diagnostics import Code
from orchestra.model.plan import Dial, Plan, PlannedSession
from orchestra.model.topology import Host, Server, Topology
from orchestra.plugin.interfaces import Identity, nobody
from orchestra.plugin.manager import Plugins
from orchestra.session.errors import OpenFailed
from orchestra.session.here import Here


def session(id_, via=None, depth=1):
    dial = Dial(by=via or "laptop", host="127.0.0.1", port=22)
    return PlannedSession(id=id_, server=id_, via=via, dial=dial, depth=depth)


SESSIONS = (session("a"), session("b", "a", 2), session("c", "b", 3), session("d"))


class Transport:
    """Knows what stands in ``standings``; keeps what it is asked."""

    def __init__(self, **standings):
        self.standings, self.log = standings, []

    async def identify(self, request):
        name = request.server.name
        self.log.append(f"look at {name} over {request.over.host}")
        standing = self.standings.get(name, "known")
        if standing == "refused":
            raise OpenFailed(Code.CONNECT_REFUSED, f"{name} refuses", host=name)
        refusal = None if standing == "known" else OpenFailed(Code.HOST_KEY_UNKNOWN, f"{name} is {standing}")
        return Identity(name=name, key=b"", algorithm="x", fingerprint=f"of {name}", standing=standing, refusal=refusal)

    async def trust(self, _request, identity):
        if self.standings.get("file") == "full":
            raise OpenFailed(Code.HOST_KEY_UNKNOWN, "disk full")
        self.log.append(f"write {identity.name}")
        return "file"

    async def open(self, request):
        self.log.append(f"open {request.server.name}")
        if self.standings.get("login") == request.server.name:
            raise OpenFailed(Code.AUTH_FAILED, "wrong password")
        return Here(request.server.name)


def tour(transport, sessions=SESSIONS, answer=True):
    async def decide(planned, _identity):
        transport.log.append(f"ask about {planned.server}")
        return answer

    hosts = {s.server: Host(name=s.server, kind="server", server=Server()) for s in sessions}

    async def main():
        made = Tour(
            sessions=sessions,
            topology=Topology(name="t", file="t", hosts=hosts),
            plugins=replace(Plugins(), transports={"ssh": transport}),
            decide=decide,
            ask=nobody,
            notice=print,
        )
        return [look async for look in made.looks(Here("laptop"))]

    return asyncio.run(main())


def standings(looks):
    return {look.session.id: look.standing for look in looks}


def test_only_those_that_others_lie_behind_are_logged_in_to():
    transport = Transport()
    assert standings(tour(transport)) == dict.fromkeys("abcd", "known")
    assert transport.log == [
        *("look at a over laptop", "open a", "look at b over a", "open b"),
        *("look at c over b", "look at d over laptop"),
    ]


def test_what_is_unknown_is_written_after_a_yes_and_leads_on():
    transport = Transport(a="unknown", c="uncertified")
    assert standings(tour(transport)) == {"a": "written", "b": "known", "c": "written", "d": "known"}
    assert transport.log[:4] == ["look at a over laptop", "ask about a", "write a", "open a"]


@pytest.mark.parametrize("standing", ["changed", "revoked"])
def test_what_changed_is_never_asked_about(standing):
    transport = Transport(a=standing)
    looks = tour(transport)
    assert standings(looks) == {"a": standing, "b": "unreachable", "c": "unreachable", "d": "known"}
    assert not [entry for entry in transport.log if entry.startswith(("ask", "write", "open"))]
    assert looks[1].error.message == "b: no session to a, which dials it"


def test_a_no_and_a_full_disk_leave_it_unknown():
    for transport, answer in ((Transport(a="unknown"), False), (Transport(a="unknown", file="full"), True)):
        looks = tour(transport, answer=answer)
        assert (looks[0].standing, looks[0].error.code, looks[1].standing) == (
            "unknown",
            Code.HOST_KEY_UNKNOWN,
            "unreachable",
        )


def test_a_key_is_known_also_where_we_are_not_let_in():
    looks = tour(Transport(login="a"))
    assert (looks[0].standing, looks[0].error.code, looks[1].standing) == ("known", Code.AUTH_FAILED, "unreachable")


def test_a_server_that_refuses():
    looks = tour(Transport(a="refused"))
    assert (looks[0].standing, looks[0].error.code) == ("unreachable", Code.CONNECT_REFUSED)


def test_a_transport_that_is_wrong_itself():
    class Wrong(Transport):
        async def identify(self, request):
            raise ValueError(request.server.name)

    looks = tour(Wrong(), SESSIONS[:1])
    assert (looks[0].standing, looks[0].error.code) == ("unreachable", Code.PLUGIN_FAILED)


def test_a_transport_without_keys_leads_on():
    class Keyless:
        async def open(self, request):
            return Here(request.server.name)

    assert standings(tour(Keyless())) == dict.fromkeys("abcd", "keyless")


def test_which_sessions():
    plan = Plan(topology="t", client="laptop", sessions=(*SESSIONS[::-1],), tunnels=(), diagnostics=())
    assert [s.id for s in sessions_to(plan, ())] == ["a", "d", "b", "c"]
    assert [s.id for s in sessions_to(plan, {"b"})] == ["a", "b"]
    assert [s.id for s in sessions_to(plan, {"d"})] == ["d"]
