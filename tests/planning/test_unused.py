"""What has no effect is said once, where it first stands."""

from orchestra.diagnostics import Code, Place
from orchestra.model.topology import Host, Server, SshSettings, Topology, Tunnel
from orchestra.planning.unused import unused_settings


def server(name: str, line: int, **ssh: str) -> Host:
    return Host(name=name, kind="server", server=Server(ssh=SshSettings(place=Place("t.yaml", line, 1), **ssh)))  # type: ignore[arg-type]


def said(*hosts: Host, tunnels: tuple[Tunnel, ...] = ()) -> list[tuple[str, int | None]]:
    topology = Topology(name="t", file="t", hosts={h.name: h for h in hosts}, tunnels={t.name: t for t in tunnels})
    found = list(unused_settings(topology))
    assert all(d.code is Code.SETTING_UNUSED and d.severity == "warning" for d in found)
    return [(d.message.partition(" has ")[0], d.place.line if d.place else None) for d in found]


def test_a_file_that_relies_on_nothing_hears_nothing() -> None:
    assert said(server("a", 1), server("b", 2, ssh_config="none", host_key_policy="strict")) == []


def test_each_setting_is_named_once_with_how_many_have_it() -> None:
    hosts = server("a", 1, config_host="x"), server("b", 2, ssh_config="/c"), server("c", 3, host_key_policy="ask")
    assert said(*hosts) == [("ssh_config of a and 1 more", 1), ("host_key_policy: ask of c", 3)]


def test_failover_is_said_of_the_tunnel() -> None:
    tunnel = Tunnel(name="wiki", failover=True, place=Place("t.yaml", 9, 3))
    assert said(tunnels=(tunnel,)) == [("failover of wiki", 9)]
