"""Plans as command lines of ssh, which ssh itself can read."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from orchestra.assembly.exchange import exported
from orchestra.errors import TopologyInvalid
from tests.plugins.sshcommands.test_commands import PLUGINS, planned

TEXT = """
clients: {laptop: }
servers:
  edge: {ssh: {host: edge.example, user: ops, port: 2222, identity: /keys/my key}}
  inner: {behind: edge, ssh: {host: 10.0.0.2, host_key_name: inner.example, known_hosts: /keys/known}}
  other: other.example
targets:
  db: {behind: inner, address: "db.internal:5432"}
  web: {behind: edge, address: "web.internal:80"}
  mine: {host: laptop, address: "127.0.0.1:3000"}
  near: {behind: laptop, address: "near.example:81"}
tunnels:
  db: {listen: "localhost:15432"}
  web: {listen: "127.0.0.1:8080"}
  auto: {to: web, listen: auto}
  callback: {at: inner, to: mine, listen: "localhost:9000"}
  bridge: {at: other, to: web, listen: "localhost:9001"}
  near: {listen: "localhost:9002"}
"""


def lines(*options: str) -> list[str]:
    topology, plan = planned(TEXT)
    return exported(PLUGINS, "ssh", plan, topology, options).splitlines()


def test_every_tunnel_has_a_command_or_a_reason() -> None:
    said = lines()
    assert said[1:4] == [
        "# auto: ssh chooses no port here: write one as `listen`",
        "# bridge: ssh does not join other to edge: -R to a port of here, and -L from it, do",
        "# near: it is dialed from here, without any ssh",
    ]
    assert said[4::2] == ["# callback, db", "# web"]
    inner, edge = (shlex.split(line) for line in said[5::2])
    assert edge == shlex.split(
        "ssh -N -o ExitOnForwardFailure=yes -L 127.0.0.1:8080:web.internal:80 "
        "-i '/keys/my key' -o IdentitiesOnly=yes -p 2222 ops@edge.example"
    )
    assert inner[:8] == shlex.split(
        "ssh -N -o ExitOnForwardFailure=yes -R localhost:9000:127.0.0.1:3000 -L localhost:15432:db.internal:5432"
    )


def test_what_a_hop_needs_is_said_to_the_ssh_of_that_hop() -> None:
    inner = shlex.split(lines()[5])
    proxy = next(word for word in inner if word.startswith("ProxyCommand="))
    assert shlex.split(proxy.partition("=")[2]) == shlex.split(
        "ssh -i '/keys/my key' -o IdentitiesOnly=yes -p 2222 -W '[%h]:%p' ops@edge.example"
    )
    assert "HostKeyAlias=inner.example" in inner
    assert "UserKnownHostsFile=/keys/known" in inner


@pytest.mark.parametrize("line", [5, 7])
def test_ssh_reads_them(line: int) -> None:
    words = shlex.split(lines()[line])
    words.insert(1, "-G")
    done = subprocess.run(
        [*words[:2], "-F", "none", *words[2:]], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert "localforward" in done.stdout


def test_to_the_background() -> None:
    assert lines("background=yes")[5].startswith("ssh -f -N ")
    with pytest.raises(TopologyInvalid):
        lines("background=maybe")
