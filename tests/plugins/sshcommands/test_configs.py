"""ssh_config becomes a topology that loads and plans."""

from __future__ import annotations

import pytest
from orchestra_plugins.sshcommands.configs import named

from orchestra.errors import TopologyInvalid
from tests.plugins.sshcommands.test_commands import planned, read

CONFIG = """\
Host *
    ServerAliveInterval 15
Host jump
    HostName jump.example.com
    User ci
Host db web-? !no
    User ops
Host db
    HostName 10.0.0.5
    Port 2222
    ProxyJump jump
    LocalForward 5432 localhost:5432
    LocalForward *:8080 wiki.internal:80
    RemoteForward 9000 localhost:3000
    DynamicForward 1080
    LocalForward nonsense
    StrictHostKeyChecking no
Host plain
"""


def test_hosts_that_forward_something_are_taken_over() -> None:
    topology, plan = planned(read(CONFIG, "ssh-config"))
    assert {name for name, host in topology.hosts.items() if host.server} == {"jump", "db"}
    assert topology.hosts["db"].behind == ("jump",)
    ssh = topology.hosts["db"].server.ssh  # type: ignore[union-attr]
    assert (ssh.host, ssh.port, ssh.user, ssh.config_host) == ("10.0.0.5", 2222, "ops", "db")
    assert {(tunnel.kind, tunnel.direction) for tunnel in plan.tunnels} == {
        ("tcp", "local"),
        ("tcp", "remote"),
        ("socks", "local"),
    }
    assert len(plan.tunnels) == 4


def test_what_is_wrong_or_dangerous_is_said() -> None:
    yaml = read(CONFIG, "ssh-config")
    assert "# localforward at line 16: 'nonsense' is no forward" in yaml
    assert "# host keys were not checked (StrictHostKeyChecking no)" in yaml
    assert "# DANGER: it is reached by everybody who reaches this machine" in yaml


def test_hosts_that_are_left_out_are_named() -> None:
    yaml = read(f"{CONFIG}Host odd;id\nHost blind\n HostName $(id)\n LocalForward 1 x:1\n", "ssh-config")
    assert "# the host odd;id is not taken over: 'odd;id' is not a host name" in yaml
    assert "# the host blind is not taken over: '$(id)' is not a host name" in yaml
    assert "# not taken over, since nothing is forwarded there: plain (--set hosts=[...] does)" in yaml
    with pytest.raises(TopologyInvalid) as invalid:
        read("Host a;b\n", "ssh-config")
    (found,) = invalid.value.diagnostics
    assert found.message == "the host a;b is not taken over: 'a;b' is not a host name"


def test_which_hosts_is_an_option() -> None:
    topology, _ = planned(read(CONFIG, "ssh-config", "hosts=[plain, jump]"))
    assert {name for name, host in topology.hosts.items() if host.server} == {"jump", "plain"}


@pytest.mark.parametrize(
    ("option", "place", "message"),
    [
        ("hosts=5", "--set:1:8", "a list is needed here, not a number"),
        ("hots=[a]", "--set:1:1", "unknown key 'hots'"),
        ("hosts=[a, {}]", "--set:1:12", "text is needed here, not a map"),
        ("hosts", "--set:1:1", "an option is written KEY=VALUE"),
        ("hosts=[a", "--set:2:1", ""),
    ],
)
def test_mistakes_in_options_have_their_place(option: str, place: str, message: str) -> None:
    with pytest.raises(TopologyInvalid) as invalid:
        read(CONFIG, "ssh-config", option)
    (found,) = invalid.value.diagnostics
    assert (str(found.place), found.message[: len(message)]) == (place, message)


def test_a_file_that_names_nobody() -> None:
    with pytest.raises(TopologyInvalid, match="1 problem"):
        read("Host *\n  User x\n", "ssh-config")


def test_the_names_that_stand_for_one_host() -> None:
    assert named(CONFIG) == ["jump", "db", "plain"]
