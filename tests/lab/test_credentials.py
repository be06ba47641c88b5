"""The lab's keys: private files, one key per machine, everything else of the settings replaced."""

import stat
from dataclasses import replace
from ipaddress import ip_address

import asyncssh

from orchestra.lab.credentials import Credentials, machines, make_credentials, with_credentials
from orchestra.model.topology import Attachment, Host, SecretRef, Server, SshSettings, Topology

ASKED = SshSettings(
    host="gw.example", port=2222, user="alice", config_host="gw", identity=("/home/alice/id",),
    password=SecretRef(kind="env", value="PW"), known_hosts=("/k",), host_key_name="x", host_key_policy="ask",
    keepalive=3.0, connect_timeout=4.0,
)  # fmt: skip


def server(name, address, ssh=ASKED):
    attachment = Attachment(network="office", addresses=(ip_address(address),))
    return Host(name=name, kind="server", attachments=(attachment,), server=Server(ssh=ssh))


def topology(*hosts):
    return Topology(name="t", file="t.yaml", hosts={host.name: host for host in hosts})


def test_files_are_private_and_readable_by_an_ssh_library(tmp_path):
    keys = make_credentials(topology(server("a", "10.0.0.1")), tmp_path)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    public = asyncssh.read_private_key(keys.host_keys["a"]).export_public_key().decode().split()
    assert keys.host_key_lines["a"].split()[:2] == public[:2]
    assert (
        asyncssh.read_public_key(keys.authorized_keys) == asyncssh.read_private_key(keys.identity).convert_to_public()
    )


def test_accounts_of_one_machine_share_a_host_key_and_others_do_not(tmp_path):
    hosts = server("a", "10.0.0.1"), server("b", "10.0.0.2"), server("c", "10.0.0.1")
    keys = make_credentials(topology(*hosts), tmp_path)
    assert machines(topology(*hosts)) == (("a", "c"), ("b",))
    assert keys.host_keys["a"] == keys.host_keys["c"] != keys.host_keys["b"]


def test_one_name_is_one_machine_only_where_it_is_dialed_from_the_same_place():
    a, b, c = (
        Host(name=name, kind="server", behind=behind, server=Server(ssh=SshSettings(host="db")))
        for name, behind in (("a", ()), ("b", ()), ("c", ("a",)))
    )
    assert machines(topology(a, b, c)) == (("a", "b"), ("c",))


def test_only_what_is_dialed_and_the_deadlines_survive(tmp_path):
    asked = topology(server("gw", "10.0.0.1", ASKED), Host(name="desk", kind="target"))
    keys: Credentials = make_credentials(asked, tmp_path, user="bob")
    given = with_credentials(asked, keys)
    assert given.hosts["desk"] == asked.hosts["desk"]
    assert given.hosts["gw"].server == replace(
        asked.hosts["gw"].server,
        ssh=SshSettings(
            host="gw.example", port=2222, user="bob", ssh_config="none", identity=(str(keys.identity),), agent="none",
            host_key=(keys.host_key_lines["gw"],), host_key_policy="strict", keepalive=3.0, connect_timeout=4.0,
        ),
    )  # fmt: skip
