"""Under which name a server's key is looked up, and what a key that is shown means: as ssh judges."""

import asyncio
import ipaddress
import subprocess

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh.transport import SshTransport
from orchestra.engine.ssh.trust import Verifier, host_key_name
from orchestra.model.topology import Attachment, ConfigSettings, DnsName, Host, Server, SshSettings
from orchestra.session import OpenFailed
from orchestra.session.here import Here

from .sshd import Keys, make_key, needs_sshd, request, sshd

ADDRESSED = {"attachments": (Attachment(network="n", addresses=(ipaddress.ip_address("10.0.0.2"),)),)}


@pytest.mark.parametrize(
    ("settings", "host", "dialed", "expected"),
    [
        ({"host_key_name": "alias", "host": "gw.example"}, {}, "1.2.3.4", "alias"),
        ({"host": "gw.example"}, {"names": (DnsName(text="other"),)}, "1.2.3.4", "gw.example"),
        ({}, {"names": (DnsName(text="gw.example"),)}, "1.2.3.4", "gw.example"),
        ({}, ADDRESSED, "10.0.0.2", "10.0.0.2"),
        ({}, ADDRESSED, "198.51.100.1", "10.0.0.2"),  # an address of somebody's nat
        ({}, {}, "198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_name(settings, host, dialed, expected):
    server = Host(name="gw", kind="server", server=Server(ssh=SshSettings(**settings)), **host)
    assert host_key_name(server, dialed) == expected


def load(**settings):
    asked = request(SshSettings(**({"port": 2222} | settings)), Here("laptop"))
    verifier = Verifier(asked, asked.server.server.ssh, "alice")
    asyncio.run(verifier.load())
    return verifier


def test_a_file_that_cannot_be_read_may_know_better(tmp_path):
    with pytest.raises(OpenFailed, match=f"known_hosts {tmp_path} cannot be read: Is a directory") as refused:
        load(known_hosts=(str(tmp_path),))
    assert refused.value.code == Code.HOST_KEY_UNKNOWN


def test_a_file_that_does_not_exist_knows_nothing(tmp_path):
    assert load(known_hosts=(f"{tmp_path}/none",)).trusted.keys == ()


def test_a_broken_line_hides_no_other(tmp_path):
    key = make_key(tmp_path / "key")
    (tmp_path / "known_hosts").write_text(f"gw {key[:-9]}\ngw\n\x00\xff\ngw ssh-ed25519 ????\ngw {key}\n")
    found = load(host_key_name="gw", known_hosts=(f"{tmp_path}/known_hosts",))
    assert [known.where for known in found.trusted.keys] == [f"{tmp_path}/known_hosts:5"]


def test_an_alias_has_no_port_and_no_second_name(tmp_path):
    key = make_key(tmp_path / "key")
    file = tmp_path / "known_hosts"
    file.write_text(f"[gw]:2222 {key}\n")
    assert load(host_key_name="gw", known_hosts=(str(file),)).trusted.keys == ()
    assert load(host="gw", known_hosts=(str(file),)).trusted.keys
    assert load(host="gw", known_hosts=(str(file),)).algorithms()[0] == "ssh-ed25519"


def test_what_the_user_has_revoked_stays_revoked(tmp_path):
    key = make_key(tmp_path / "key")
    (tmp_path / "mine").write_text(f"@revoked * {key}\ngw {key}\n")
    config = ConfigSettings(user_known_hosts=(f"{tmp_path}/mine",), global_known_hosts=())
    found = load(host="gw", known_hosts=(f"{tmp_path}/theirs",), config=config).trusted
    assert (len(found.revoked), found.keys) == (1, ())
    found = load(host="gw", host_key=(key,), config=config).trusted
    assert (len(found.revoked), found.pinned) == (1, True)


def test_a_key_that_is_none():
    verifier = load(host="gw", host_key=("ssh-ed25519 AAAA",))
    with pytest.raises(Exception, match="cannot be read"):
        verifier.validate(b"\0\0\0\7ssh-rsa\0\0\0\1")
    assert verifier.refusal().code == Code.PROTOCOL_ERROR


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """The host key in ``keys``, another one, and an authority that has signed the host key for ``gw`` and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("keys")
    keys = Keys(folder)
    keys.other, keys.other_type = make_key(folder / "other"), make_key(folder / "ecdsa", "ecdsa")
    keys.authority = make_key(folder / "ca")
    sign = ["ssh-keygen", "-q", "-s", f"{folder}/ca", "-I", "x", "-h", "-n", "gw,127.0.0.1", f"{folder}/host_key.pub"]
    subprocess.run(sign, check=True)
    return keys


MATRIX = (
    "",
    "{at} {key}",
    "{bare} {key}",
    "{at} {other}",
    "{bare} {other}",
    "{at} {other_type}",
    "{at} {other}\n{at} {key}",
    "{at} {other_type}\n{bare} {key}",
    "x,{at},y {key}",
    "* {key}",
    "*,!{bare} {key}",
    "[127.0.0.?]:* {key}",
    "[*]:{port} {key}",
    "@revoked * {key}",
    "{at} {key}\n@revoked {at} {key}",
    "{at} {key}\n@revoked elsewhere {key}",
    "@cert-authority * {authority}",
    "@cert-authority {at} {authority}",
    "@cert-authority {bare} {authority}",
    "@cert-authority elsewhere {authority}",
    "@cert-authority * {other}",
    "@cert-authority * {other}\n{at} {key}",
    "@cert-authority * {authority}\n@revoked * {authority}",
    "@cert-authority * {authority}\n{at} {other}",
    "{at} {authority}",
    "{at} {key} a comment",
    "  {at} {key}",
    "\t{at}\t{key}",
    "# {at} {key}",
    "{at} {key:.40}",
    "@marker {at} {key}",
    "@revoked @cert-authority * {key}\n{at} {key}",
)
"""Lines of known_hosts."""


STRICTER = ("{at} {other_type}\n{bare} {key}", "changed", "known")
"""ssh looks a certificate up under the bare name although another key is filed under the name with the port."""


@needs_sshd
@pytest.mark.parametrize(("alias", "certified"), [(None, True), ("gw", False)])
def test_ssh_says_the_same(keys, tmp_path, alias, certified):
    """Every case is one look at one server, by ssh and by us."""
    differences, some = [], asyncio.Semaphore(6)
    more = [f"HostCertificate {keys.folder}/host_key-cert.pub"] if certified else []

    async def main():
        async with sshd(keys, "MaxStartups 100", *more) as server, asyncio.TaskGroup() as looks:
            bare = alias or "127.0.0.1"
            words = {"at": alias or f"[127.0.0.1]:{server.port}", "bare": bare, "port": server.port}
            words |= {"key": keys.host_key, "other": keys.other, "other_type": keys.other_type}
            for number, lines in enumerate(MATRIX):
                file = tmp_path / f"known_hosts_{number}"
                file.write_text(lines.format(**words, authority=keys.authority) + "\n")
                looks.create_task(look(server, file, lines))

    async def look(server, file, lines):
        async with some:
            settings = server.settings(known_hosts=(str(file),), host_key_name=alias)
            ours = (await SshTransport().identify(request(settings, Here("laptop")))).standing
            theirs = await ssh_says(file, server.port, alias)
        if (ours if ours in {"known", "changed", "revoked"} else "unknown") != theirs:
            differences.append((lines, ours, theirs))

    asyncio.run(main())
    assert differences == ([STRICTER] if certified else [])


async def ssh_says(file, port, alias):
    options = [f"UserKnownHostsFile={file}", "GlobalKnownHostsFile=none", "StrictHostKeyChecking=yes", "BatchMode=yes"]
    options += ["PubkeyAuthentication=no", *([f"HostKeyAlias={alias}"] if alias else [])]
    command = ["ssh", "-F", "none", *(word for each in options for word in ("-o", each)), "-p", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, "127.0.0.1", "true", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await process.communicate()
    for words, standing in ((b"REVOKED", "revoked"), (b"HAS CHANGED", "changed"), (b"Permission denied", "known")):
        if words in output:
            return standing
    assert b"Host key verification failed" in output, output
    return "unknown"
