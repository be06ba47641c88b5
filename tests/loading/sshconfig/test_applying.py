"""A topology with ssh_config below it, and the servers that one has to go through."""

from orchestra.loading import load
from orchestra.loading.sshconfig import Source, apply_ssh_config
from orchestra.plugin.vocabulary import TransportSpec, Vocabulary
from tests.loading.sshconfig.ground import STANDARD, USER, context, library

VOCABULARY = Vocabulary(transports={"ssh": TransportSpec(name="ssh")})


def applied(tmp_path, yaml, config, **files):
    (tmp_path / "t.yaml").write_text(yaml)
    loaded = load([str(tmp_path / "t.yaml")], environ={}, vocabulary=VOCABULARY)
    assert loaded.topology, loaded.diagnostics
    found = {USER: config, **files}
    return apply_ssh_config(loaded.topology, context(found), STANDARD, library(found))


def ways(found):
    """Server to what it is behind, and what is dialed."""
    return {
        name: (*host.behind, "dials", host.server.ssh.host)
        for name, host in found.topology.hosts.items()
        if host.server
    }


def refusals(found, name):
    return [each.message for each in found.topology.hosts[name].server.ssh.config.refusals]


def test_jumps_become_servers_that_one_is_behind(tmp_path):
    config = """
    Host inner
      HostName 10.0.0.5
      ProxyJump outer,ann@middle:2222
    Host outer
      HostName outer.example
      User ops
    """
    found = applied(tmp_path, "servers: {inner: }", config)
    assert ways(found) == {
        "inner": ("middle", "dials", "10.0.0.5"),
        "middle": ("outer", "dials", "middle"),
        "outer": ("dials", "outer.example"),
    }
    middle = found.topology.hosts["middle"]
    assert middle.implied
    assert str(middle.place) == f"{USER}:4:7"
    assert (middle.server.ssh.user, middle.server.ssh.port) == ("ann", 2222)
    assert found.topology.hosts["outer"].server.ssh.user == "ops"
    assert not found.topology.hosts["inner"].implied


def test_the_first_jump_goes_its_own_way_and_the_others_do_not(tmp_path):
    config = "Host inner\n ProxyJump a,b\nHost a\n ProxyJump c\nHost b\n ProxyJump d\n"
    found = applied(tmp_path, "servers: {inner: }", config)
    assert {name: way[:-2] for name, way in ways(found).items()} == {"inner": ("b",), "b": ("a",), "a": ("c",), "c": ()}


def test_jumps_that_the_file_declares_are_those(tmp_path):
    yaml = "servers: {inner: , gate: bastion.example, other: {ssh: {config_host: alias}}}"
    for jump, server in (("gate", "gate"), ("Bastion.Example", "gate"), ("alias", "other"), ("ann@gate:22", "gate")):
        found = applied(tmp_path, yaml, f"Host inner\n ProxyJump {jump}\n")
        assert found.topology.hosts["inner"].behind == (server,)
        assert len(found.topology.hosts) == 3


def test_another_account_is_another_server(tmp_path):
    found = applied(tmp_path, "servers: {inner: , gate: bob@gate}", "Host inner\n ProxyJump ann@gate\n")
    assert found.topology.hosts["inner"].behind == ("ann@gate",)
    assert found.topology.hosts["ann@gate"].server.ssh.user == "ann"


def test_one_jump_for_many(tmp_path):
    found = applied(tmp_path, "servers: {a: , b: }", "Host a b\n ProxyJump gate\n")
    assert ways(found).keys() == {"a", "b", "gate"}


def test_networks_and_behind_of_the_file_decide(tmp_path):
    yaml = "networks: {lan: 10.0.0.0/8}\nservers: {a: {networks: {lan: 10.0.0.1}}, b: {behind: a}}\n"
    for config in ("ProxyJump x\n", "ProxyCommand nc %h %p\n"):
        found = applied(tmp_path, yaml, config)
        assert found.topology.hosts.keys() == {"a", "b"}
        assert (refusals(found, "a"), refusals(found, "b")) == ([], [])


def test_circles(tmp_path):
    found = applied(tmp_path, "servers: {a: , b: }", "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    assert "a → b → a" in refusals(found, "a")[0]
    found = applied(tmp_path, "servers: {a: }", "ProxyJump b\nHost b\n ProxyJump c\n")
    assert any("itself" in each or "circle" in each for name in found.topology.hosts for each in refusals(found, name))


def test_a_refusal_stays_with_its_server(tmp_path):
    found = applied(tmp_path, "servers: {a: , b: }", "Host b\n RefuseConnection no\n")
    assert (refusals(found, "a"), refusals(found, "b")) == ([], ["b: RefuseConnection: no"])
    assert [(each.code, each.severity, each.place.line) for each in found.diagnostics] == [
        ("SSH_CONFIG_REFUSED", "warning", 2)
    ]


def test_one_line_is_told_once(tmp_path):
    found = applied(tmp_path, "servers: {a: , b: , c: }", "StrictHostKeyChecking no\n")
    [told] = found.diagnostics
    assert told.message.startswith("a and 2 more: StrictHostKeyChecking no")
    assert found.sources[USER] == "StrictHostKeyChecking no\n"


def test_a_file_of_ones_own_or_none(tmp_path):
    yaml = f"servers: {{a: {{ssh: {{ssh_config: {tmp_path}/own}}}}, b: {{ssh: {{host: b, ssh_config: none}}}}}}"
    own = {f"{tmp_path}/own": "User own\nProxyJump gate\n"}
    found = applied(tmp_path, yaml, "User ann\n", **own)
    assert [found.topology.hosts[name].server.ssh.user for name in "ab"] == ["own", None]
    assert found.topology.hosts["b"].server.ssh.config is None
    assert found.topology.hosts["gate"].server.ssh.user == "own"  # as ssh -F, which hands it on
    missing = applied(tmp_path, yaml, "")
    assert "cannot be read: there is no such file" in refusals(missing, "a")[0]


def test_every_library_is_asked_once_a_file(tmp_path):
    reads = []
    shelf = library({USER: "User ann\n"})
    inner = shelf.read
    shelf.read = lambda name: reads.append(name) or inner(name)
    (tmp_path / "t.yaml").write_text("servers: {a: , b: , c: }")
    topology = load([str(tmp_path / "t.yaml")], environ={}, vocabulary=VOCABULARY).topology
    apply_ssh_config(topology, context(), (Source(path=USER),), shelf)
    assert reads == [USER]
