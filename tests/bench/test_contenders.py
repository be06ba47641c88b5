"""What each contender runs, and that it is the same way for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.contenders import autossh, orchestra, ssh, topology
from bench.ground import CIPHER, Forward, Ground, alias, free_ports, ssh_config
from orchestra.assembly.topology import plugins
from orchestra.engine.ssh.options import CIPHERS
from orchestra.loading import load
from orchestra.planning import make_plan


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path, sshd=(30001, 30002, 30003), bulk=30010, echo=30011)


CHAIN = (Forward(30020, (0, 1, 2), 30010),)
FLEET = tuple(Forward(30020 + number, (number % 2,), 30011) for number in range(4))


def test_a_chain_is_a_jump_over_the_servers_before(ground: Ground) -> None:
    hosts = {each.split()[0]: each for each in ssh_config(ground).split("Host ")[1:]}
    assert {"server0", "server1", "server0-server1", "server0-server1-server2", "*"} <= hosts.keys()
    assert "ProxyJump server0-server1\n" in hosts["server0-server1-server2"]
    assert "Port 30003\n" in hosts["server0-server1-server2"]
    assert "ProxyJump" not in hosts["server1"]


def test_ssh_is_a_process_for_each_chain(ground: Ground) -> None:
    one, other = ssh(ground, FLEET)
    assert one[-5:] == ["-L", "127.0.0.1:30020:127.0.0.1:30011", "-L", "127.0.0.1:30022:127.0.0.1:30011", "server0"]
    assert other[-1] == "server1"


def test_autossh_is_a_process_for_each_tunnel(ground: Ground) -> None:
    assert [each[-1] for each in autossh(ground, FLEET)] == ["server0", "server1", "server0", "server1"]


@pytest.mark.parametrize("way", [CHAIN, FLEET])
def test_the_file_plans_as_the_same_way(ground: Ground, way: tuple[Forward, ...]) -> None:
    words = plugins().vocabulary
    loaded = load(["-"], environ={}, vocabulary=words, stdin=topology(ground, way))
    assert loaded.topology is not None, loaded.diagnostics
    plan = make_plan(loaded.topology, vocabulary=words)
    assert [tunnel.verdict for tunnel in plan.tunnels] == ["reachable"] * len(way)
    named = {session.id: session.server for session in plan.sessions}
    passed = [[named[each] for each in tunnel.sessions] for tunnel in plan.tunnels]
    assert passed == [[alias(each.path[:length]) for length in range(1, len(each.path) + 1)] for each in way]


def test_orchestra_is_run_as_its_users_run_it(ground: Ground) -> None:
    ((program, *arguments, file),) = orchestra(ground, CHAIN)
    assert (Path(program).name, arguments) == ("orchestra", ["up", "--quiet"])
    assert Path(file).read_text() == topology(ground, CHAIN)


def test_the_cipher_of_ssh_gcm_is_the_one_that_we_take() -> None:
    assert CIPHERS[0] == CIPHER


def test_ports_are_free_and_differ() -> None:
    assert len(set(free_ports(50))) == 50
