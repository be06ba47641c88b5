"""PuTTY's saved sessions, of both systems, become topologies that load and plan."""

from __future__ import annotations

import pytest
from orchestra_plugins.sshcommands.forwards import End, Forward
from orchestra_plugins.sshcommands.putty import forwards

from orchestra.errors import TopologyInvalid
from tests.plugins.sshcommands.test_commands import planned, read

UNIX = """\
PresentVersion=1
HostName=ops@inner.example
PortNumber=2222
PublicKeyFile=/home/u/id.ppk
AgentFwd=1
LogHost=inner
ProxyMethod=6
ProxyHost=jump.example
ProxyPort=22
ProxyUsername=ci
ProxyPassword=hunter2
PortForwardings=L8080=db\\:x:5432,R9000=localhost:3000,D1080=
"""
REG = """\
Windows Registry Editor Version 5.00

[HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\Sessions\\Default%20Settings]
"HostName"=""

[HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\Sessions\\db]
"HostName"="db.example"
"UserName"="alice"
"PortNumber"=dword:000008ae
"LocalPortAcceptAll"=dword:00000001
"PortForwardings"="5432=127.0.0.1:5432,4R127.0.0.1:9000=[::1]:80"

[HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\SshHostKeys]
"HostName"="nobody"
"""


def test_a_session_file() -> None:
    yaml = read(UNIX.replace("db\\:x", "db"), "putty")
    topology, plan = planned(yaml)
    ssh = topology.hosts["inner.example"].server.ssh  # type: ignore[union-attr]
    assert (ssh.user, ssh.port, ssh.host_key_name) == ("ops", 2222, "inner")
    assert topology.hosts["inner.example"].behind == ("jump.example",)
    assert sorted(tunnel.kind for tunnel in plan.tunnels) == ["socks", "tcp", "tcp"]
    assert "# its key /home/u/id.ppk is PuTTY's" in yaml
    assert "# the agent is not forwarded" in yaml
    assert "# the password of its proxy is stored in clear" in yaml
    assert "hunter2" not in yaml


def test_what_the_registry_exports() -> None:
    topology, plan = planned(read(REG, "putty"))
    (server,) = [host for host in topology.hosts.values() if host.server]
    assert (server.name, server.server and server.server.ssh.port) == ("db.example", 2222)
    listens = {str(bind) for tunnel in plan.tunnels if tunnel.listen for bind in tunnel.listen.binds}
    assert listens == {"*:5432", "127.0.0.1:9000"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L8080=db:5432", Forward("L", End(None, 8080), End("db", 5432))),
        ("4L5940=127.0.0.1:5950", Forward("L", End(None, 5940), End("127.0.0.1", 5950))),
        ("R127.0.0.1:9000=localhost:80", Forward("R", End("127.0.0.1", 9000), End("localhost", 80))),
        ("D1080=", Forward("D", End(None, 1080), None)),
        ("L1080=D", Forward("D", End(None, 1080), None)),
        ("6D[::1]:1081=", Forward("D", End("::1", 1081), None)),
        ("R9000=localhost:80", Forward("R", End("*", 9000), End("localhost", 80))),
    ],
)
def test_forwards(text: str, found: Forward) -> None:
    assert list(forwards(text, remote_wide=True)) == [found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Protocol=serial\n", "it holds no session of PuTTY with a HostName"),
        ("HostName=a b\n", "'a b' is not a host name"),
        ("HostName=a\nPortForwardings=L1=db\n", "'1:db' is no forward"),
        ("HostName=a\nProxyMethod=6\n", "the host is empty"),
    ],
)
def test_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(TopologyInvalid) as invalid:
        read(text, "putty")
    (found,) = invalid.value.diagnostics
    assert message in found.message


def test_what_is_proxied_otherwise_is_said() -> None:
    yaml = read("HostName=a\nProxyMethod=2\nProxyHost=socks.example\n", "putty")
    assert "its proxy socks.example is not taken over" in yaml


def test_one_that_cannot_be_taken_over_leaves_the_others() -> None:
    odd = REG.split("\n", 1)[1].replace("db.example", "a;id").replace("\\Sessions\\", "\\Sessions\\odd-")
    yaml = read(REG + odd, "putty")
    assert "# the session of a;id is not taken over: 'a;id' is not a host name" in yaml
    assert planned(yaml)[0].hosts["db.example"].server is not None
