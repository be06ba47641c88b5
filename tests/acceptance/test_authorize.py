"""Servers that permit exactly what `orchestra authorize` prints carry every tunnel, and refuse one port more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from orchestra.lab.interface import Lab
from orchestra.lab.netns.lab import NetnsLab
from orchestra.lab.netns.plumbing import DIRECTORY
from orchestra.model.plan import Bind, Plan, PlannedSession, PlannedTunnel
from orchestra.planning.authorize import Needs, needs_of
from orchestra.plugin.vocabulary import Vocabulary
from orchestra.render.authorize_text import Limits, authorized_keys, match_block, public_key
from tests.acceptance.world import World, anywhere, ask, needs_netns, play, world

pytestmark = [pytest.mark.netns, needs_netns]

HERE = Path(__file__).parents[2] / "topologies"
LITERAL = """
networks: {internet: , office: [10.20.0.0/24, "2001:db8:20::/64"]}
clients: {laptop: {networks: [internet]}}
servers:
  gateway:
    networks: {internet: 198.51.100.9, office: [10.20.0.2, "2001:db8:20::2"]}
    forwarding: {gateway_ports: clientspecified}
targets:
  db: {address: "DB.office.example:5432", behind: gateway}
  six: {networks: {office: "2001:db8:20::30"}, address: "[2001:db8:20::30]:80"}
  own: {host: gateway, address: "127.0.0.1:3000"}
  web: {host: laptop, address: "127.0.0.1:8000"}
tunnels:
  db: {}
  six: {listen: localhost:8080}
  own: {}
  everywhere: {to: web, at: gateway, listen: "*:8001"}
  one: {to: web, at: gateway, listen: "[2001:db8:20::2]:8002"}
"""
"""Every way in which a text is sent: a name with capitals, IPv6, loopback, the empty string for a wildcard."""

EXAMPLES = [HERE / f"{name}.yaml" for name in ("vnc-firewall", "callback", "bridge", "redundant-bastions")]
Form = Callable[[Needs, str], tuple[str, str]]


def by_key(needs: Needs, key: str) -> tuple[str, str]:
    """sshd_config in front, and authorized_keys."""
    return "", authorized_keys(needs, public_key(key), Limits(expiry="20991231"))


def by_block(needs: Needs, key: str) -> tuple[str, str]:
    return match_block(needs, Limits()), key


def permitting(form: Form) -> Callable[[Lab, Plan], Awaitable[None]]:
    """Gives every server what it has to permit, and nothing else."""

    async def prepare(lab: Lab, plan: Plan) -> None:
        assert isinstance(lab, NetnsLab)
        folder = lab._link.files / DIRECTORY.lstrip("/")
        for needs in needs_of(plan, lab.topology, Vocabulary()):
            block, keys = form(needs, (folder / "authorized_keys").read_text())
            (service,) = lab._find("server", lab.layout.machine_of[needs.server])
            assert service.file
            config = folder / service.file[0]
            (folder / f"keys.{needs.server}").write_text(keys + "\n")
            own = config.read_text().replace("/authorized_keys", f"/keys.{needs.server}")
            config.write_text(f"{own}{block}\n")
            await lab.stop_server(needs.server)
            await lab.start_server(needs.server)

    return prepare


@pytest.fixture(params=[*EXAMPLES, LITERAL], ids=[*(path.stem for path in EXAMPLES), "literal"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if isinstance(request.param, Path):
        return request.param
    file = tmp_path / "literal.yaml"
    file.write_text(request.param)
    return file


async def carries(up: World, tunnel: PlannedTunnel) -> None:
    target = up.lab.topology.targets[tunnel.spec.to or tunnel.name]
    for index in range(len(up.tunnel(tunnel.name).listen)):
        host, port = up.entrance(tunnel.name, index)
        page = await ask(up.user_of(tunnel), "127.0.0.1" if host == "*" else host, port)
        assert f"{target.name} on {target.host}".encode() in page, (tunnel.name, host, port)


FORMS = pytest.mark.parametrize("form", [by_key, by_block], ids=["authorized-keys", "sshd"])


@FORMS
def test_exactly_these_lines_carry_every_tunnel(example: Path, form: Form) -> None:
    async def scene() -> None:
        async with world(example, "netns", prepare=permitting(form)) as up:
            await up.until_ready()
            for tunnel in up.plan.tunnels:
                await carries(up, tunnel)

    play(scene())


def one_port_more(plan: Plan) -> Plan:
    """Another plan: every tunnel's dial, and every listener at a server, by one port further."""
    return anywhere(replace(plan, tunnels=tuple(replace(each, **_moved(each)) for each in plan.tunnels)))


def _moved(tunnel: PlannedTunnel) -> dict[str, Any]:
    listen, dial = tunnel.listen, tunnel.dial
    if listen and listen.session:
        return {"listen": replace(listen, binds=_next(listen.binds), requests=_next(listen.requests))}
    assert dial
    assert dial.port
    return {"dial": replace(dial, port=dial.port + 1), "alternatives": ()}


def _next(binds: tuple[Bind, ...]) -> tuple[Bind, ...]:
    return tuple(replace(each, port=each.port + 1 if each.port else 0) for each in binds)


@FORMS
def test_one_port_more_is_refused(example: Path, form: Form) -> None:
    async def scene() -> None:
        async with world(example, "netns", prepare=permitting(form), twist=one_port_more) as up:
            for tunnel in up.plan.tunnels:
                assert tunnel.listen
                if tunnel.listen.session and not tunnel.listen.requests[0].port:
                    continue  # any free port: there is none that is not permitted
                await up.until(lambda name=tunnel.name: up.tunnel(name).error is not None)
                error = up.tunnel(tunnel.name).error
                assert error
                at = tunnel.listen.at if tunnel.listen.session else tunnel.path[-1]
                assert (error.code, error.host) == ("FORWARD_REFUSED", at), error

    play(scene())


@FORMS
def test_no_hop_may_be_dialed_at_another_port(form: Form) -> None:
    def further(plan: Plan) -> Plan:
        first, *rest = plan.sessions
        return replace(anywhere(plan), sessions=(first, *(_further(each) for each in rest)))

    async def scene() -> None:
        async with world(EXAMPLES[0], "netns", prepare=permitting(form), twist=further) as up:
            await up.until(lambda: up.session("inner").error is not None)
            error = up.session("inner").error
            assert error
            assert (error.code, error.host) == ("FORWARD_REFUSED", "gateway")

    play(scene())


def _further(session: PlannedSession) -> PlannedSession:
    assert session.dial.port
    return replace(session, dial=replace(session.dial, port=session.dial.port + 1))


@FORMS
def test_the_account_can_do_nothing_else(form: Form) -> None:
    """South-gate of the example has to open one address, and to listen nowhere."""

    async def scene() -> None:
        async with world(HERE / "bridge.yaml", "netns", prepare=permitting(form)) as up:
            await up.until_ready()
            ssh = up.lab.topology.hosts["south-gate"].server
            assert ssh
            assert isinstance(up.lab, NetnsLab)
            sock = await up.lab.dial("laptop", "203.0.113.20", 22)
            options = {"username": ssh.ssh.user, "client_keys": [ssh.ssh.identity[0]], "known_hosts": None}
            async with asyncssh.connect(sock=sock, config=None, agent_path=None, **options) as account:
                for host, port in (("10.2.0.40", 22), ("127.0.0.1", 22), ("NONE.invalid", 2), ("none.invalid", 1)):
                    with pytest.raises(asyncssh.ChannelOpenError) as refused:
                        await account.open_connection(host, port)
                    assert refused.value.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
                for host, port in (("localhost", 0), ("", 8443), ("NONE.invalid", 1), ("none.invalid", 1)):
                    with pytest.raises(asyncssh.ChannelListenError):
                        await account.forward_remote_port(host, port, "127.0.0.1", 1)
                with pytest.raises(asyncssh.ChannelOpenError if form is by_block else asyncssh.ProcessError):
                    await account.run("echo this is a shell", check=True)
                if form is by_block:
                    with pytest.raises(asyncssh.ChannelOpenError):
                        await account.open_unix_connection("/run/sshd.sock")

    play(scene())
