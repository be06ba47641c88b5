"""The topology file stands over ssh_config."""

from orchestra.loading.sshconfig.merging import asked_host, given, merged
from orchestra.model.topology import Attachment, Host, SecretRef, Server, SshSettings
from tests.loading.sshconfig.ground import resolved

CONFIG = """
Host gw bastion.example
  HostName 192.0.2.7
  User ops
  Port 2222
  IdentityFile /k
  IdentityAgent /agent
  HostKeyAlias alias
  ServerAliveInterval 5
"""


def host(*, name="gw", **settings) -> Host:
    place = {key: settings.pop(key) for key in ("attachments", "behind") if key in settings}
    return Host(name=name, kind="server", server=Server(ssh=SshSettings(**settings)), **place)


def made(server: Host) -> SshSettings:
    return merged(server, resolved(CONFIG, asked_host(server), given(server)))


def test_what_one_would_write_after_ssh():
    assert asked_host(host()) == "gw"
    assert asked_host(host(host="h")) == "h"
    assert asked_host(host(host="h", config_host="c")) == "c"


def test_everything_from_ssh_config():
    found = made(host())
    assert (found.host, found.user, found.port, found.identity) == ("192.0.2.7", "ops", 2222, ("/k",))
    assert (found.agent, found.host_key_name, found.keepalive) == ("/agent", "alias", 20.0)
    assert {"host", "user", "port", "identity", "agent"} <= found.config.origins.keys()


def test_the_file_wins():
    found = made(host(user="me", port=22, identity=("/mine",), agent="none", host_key_name="name", keepalive=1.0))
    assert (found.user, found.port, found.identity, found.agent) == ("me", 22, ("/mine",), "none")
    assert (found.host_key_name, found.keepalive) == ("name", 1.0)
    assert set(found.config.origins) == {"host"}


def test_host_names_replace_what_was_asked_for():
    assert made(host(host="bastion.example")).host == "192.0.2.7"
    assert made(host(host="other.example")).host == "other.example"
    assert made(host(host="written.example", config_host="gw")).host == "written.example"
    assert made(host(config_host="gw", name="x")).host == "192.0.2.7"


def test_a_server_that_nobody_knows_is_dialed_by_its_name():
    assert made(host(name="nobody")).host == "nobody"
    assert made(host(name="no host name")).host is None
    assert made(host(name="nobody", attachments=(Attachment(network="lan"),))).host is None


def test_only_what_the_file_names_is_offered():
    for named in ({"password": SecretRef(kind="env", value="X")}, {"identity": ("/mine",)}):
        found = made(host(**named))
        assert found.identity == named.get("identity", ())
        assert found.config.origins["agent"]  # it says where the agent is, not what is offered


def test_networks_and_behind_decide_the_way():
    assert given(host(behind=("x",)))["proxycommand"] == "none"
    assert "proxyjump" not in given(host())
