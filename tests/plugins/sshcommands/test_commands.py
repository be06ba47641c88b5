"""Command lines of ssh become topologies that load and plan, and a plan's own command lines become it again."""

from __future__ import annotations

import pytest
from orchestra_plugins.sshcommands.commands import commands, invocation

from orchestra.assembly.exchange import exported, imported
from orchestra.assembly.topology import plugins
from orchestra.errors import TopologyInvalid
from orchestra.loading import load
from orchestra.model.plan import Plan
from orchestra.model.topology import Topology
from orchestra.planning import make_plan

PLUGINS = plugins(environ={})


def read(text: str, form: str = "ssh", *options: str) -> str:
    return imported(PLUGINS, form, text, source="tunnels.sh", assignments=options, environ={"HOME": "/nonexistent"})


def planned(yaml: str) -> tuple[Topology, Plan]:
    """What comes out loads and plans."""
    loaded = load(["-"], environ={}, vocabulary=PLUGINS.vocabulary, stdin=yaml)
    assert loaded.topology is not None, [f"{found.place} {found.message}" for found in loaded.diagnostics]
    plan = make_plan(loaded.topology, vocabulary=PLUGINS.vocabulary)
    assert [tunnel.name for tunnel in plan.tunnels if tunnel.verdict != "reachable"] == []
    return loaded.topology, plan


def opened(plan: Plan) -> set[tuple[object, ...]]:
    """What it opens: where each tunnel listens, and who dials what through whom."""
    found: set[tuple[object, ...]] = set()
    for tunnel in plan.tunnels:
        assert tunnel.listen is not None
        dials = [plan.session(id_).dial for id_ in tunnel.sessions]
        hops = tuple((dial.host, dial.port) for dial in dials)
        where = tunnel.direction, tunnel.entry is not None
        binds = frozenset((bind.host, bind.port) for bind in tunnel.listen.binds)
        found.add((where, binds, tunnel.kind, hops, str(tunnel.dial) if tunnel.dial else None))
    return found


SCRIPTS = (
    "ssh -L 5432:db.internal:5432 bastion.example",
    "ssh -NfL 5432:localhost:5432 -p2222 ops@web.example",
    "ssh -J ci@jump.example,deep.example:2222 -L 127.0.0.1:80:web:80 -L 8080:web:80 inner.example",
    "autossh -M 0 -N -R 0.0.0.0:9000:localhost:3000 -R 9001:intranet:80 edge.example",
    "ssh -D 1080 -R 1081 -D '[::1]:1082' proxy.example",
    """\
nohup ssh \\
  -o 'ProxyJump=j.example' \\
  -o 'LocalForward 1234 db:1234' \\
  x.example &
# another
ssh -g -L 99:web:99 ssh://ops@y.example:77 && echo done
""",
    "ssh -L /tmp/a.sock:/run/docker.sock docker.example",
    "ssh -L 7:any:7 -L 1:a.b:1 -L 2:a-b:1 -L 3:a_b:1 any",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_there_and_back(script: str) -> None:
    topology, plan = planned(read(script))
    back = exported(PLUGINS, "ssh", plan, topology, [])
    assert opened(planned(read(back))[1]) == opened(plan)


def test_a_whole_example() -> None:
    yaml = read(
        "ssh -g -A -J ci@jump.example -i ~/.ssh/id -o StrictHostKeyChecking=no -L 5432:db:5432 "
        "-R '*:9000:localhost:3000' -W x:5 -p 2222 ops@web.example"
    )
    assert (
        yaml
        == """\
# From tunnels.sh. `orchestra plan` shows what it opens.

clients:
  here: {}

servers:
  jump.example: ci@jump.example
  # the agent is not forwarded (-A): no server on the way needs it
  # host keys were not checked (StrictHostKeyChecking no); see them once: orchestra trust
  # assumed: its sshd has `GatewayPorts clientspecified`
  web.example:
    behind: jump.example
    ssh: {host: web.example, identity: [~/.ssh/id], port: 2222, user: ops}
    forwarding: {gateway_ports: clientspecified}

targets:
  db-5432: {behind: web.example, address: "db:5432"}
  here-3000: {host: here, address: "localhost:3000"}
  # it was -W: `orchestra connect FILE x-5` joins it to standard input and output
  x-5: {behind: web.example, address: "x:5"}

tunnels:
  # DANGER: it is reached by everybody who reaches this machine, as it was with ssh
  db-5432: {listen: "*:5432"}
  # DANGER: it is reached by everybody who reaches the server, when its GatewayPorts permits that
  here-3000: {at: web.example, listen: "*:9000"}
"""
    )


@pytest.mark.parametrize(
    ("command", "password"),
    [
        ("sshpass -p hunter2 ssh -L 1:a:1 x", None),
        ("SSHPASS=hunter2 sshpass -e ssh -L 1:a:1 x", {"env": "SSHPASS"}),
        ("sshpass -f ~/pw ssh -L 1:a:1 x", {"file": "~/pw"}),
    ],
)
def test_a_password_is_never_taken_over(command: str, password: object) -> None:
    ((_, words),) = commands(command)
    made = invocation(words)
    assert made is not None
    assert made.ssh.get("password") == password
    assert "hunter2" not in read(command)
    assert bool(made.notes) == (password is None)


@pytest.mark.parametrize(
    ("option", "note"),
    [
        ("-o ProxyCommand='nc %h %p'", "ProxyCommand 'nc %h %p' is not taken over"),
        ("-o UserKnownHostsFile=/dev/null", "no host key was remembered"),
        ("-X", "X11 is not forwarded"),
        ("-w 0:0", "a network device"),
        ("-o ForwardAgent=yes", "the agent is not forwarded"),
    ],
)
def test_what_is_not_taken_over_is_said(option: str, note: str) -> None:
    yaml = read(f"ssh {option} -L 1:a:1 x.example uptime")
    assert note in yaml
    assert "the command that it runs there is not taken over" in yaml
    planned(yaml)


def test_options_are_settings_of_the_server() -> None:
    yaml = read(
        "ssh -l ops -F none -o ConnectTimeout=5 -oHostKeyAlias=gw -o UserKnownHostsFile=~/kh -o Port=2200 "
        "-o StrictHostKeyChecking=accept-new -o CertificateFile=~/c.pub -o HostName=10.0.0.1 -L 1:a:1 alias"
    )
    ssh = planned(yaml)[0].hosts["alias"].server.ssh  # type: ignore[union-attr]
    assert (ssh.host, ssh.port, ssh.user, ssh.connect_timeout) == ("10.0.0.1", 2200, "ops", 5.0)
    assert (ssh.host_key_name, ssh.host_key_policy, ssh.ssh_config) == ("gw", "accept-new", "none")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("echo hello", 1, "there is no ssh command in it"),
        ("rsync -e ssh a b", 1, "there is no ssh command in it"),
        ("ssh x -L 1:a:1\n\nssh -L 1:2 x", 3, "'1:2' is no forward"),
        ("ssh -L", 1, "-L needs an argument"),
        ("ssh -L 1:a:1", 1, "this ssh command names no host"),
        ("ssh -p ninety x", 1, "'ninety' is no port"),
        ("ssh 'unclosed", 1, "there is no ssh command in it"),
    ],
)
def test_mistakes_have_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(TopologyInvalid) as invalid:
        read(text)
    (found,) = invalid.value.diagnostics
    assert (found.place and found.place.line, found.message[: len(message)]) == (line, message)
