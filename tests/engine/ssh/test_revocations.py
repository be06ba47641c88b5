"""Lists of revoked keys, as ssh-keygen makes them and as it judges by them."""

import base64
import subprocess

import pytest

from orchestra.engine.ssh.certificates import parse_certificate
from orchestra.engine.ssh.revocations import MAGIC, parse_revocations
from orchestra.engine.ssh.wire import pack

from .sshd import make_key

HEADER = MAGIC + b"\0\0\0\1" + bytes(24) + pack(b"") + pack(b"")


def blob_of(file):
    return base64.b64decode(file.read_text().split()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CA, and host keys a, b and c with certificates of serials 1, 70 and 700."""
    folder = tmp_path_factory.mktemp("revoked")
    make_key(folder / "ca")
    make_key(folder / "ca2")
    for name, serial in (("a", 1), ("b", 70), ("c", 700)):
        make_key(folder / name)
        sign = ["ssh-keygen", "-q", "-h", "-s", f"{folder}/ca", "-I", f"id {name}", "-z", str(serial)]
        subprocess.run([*sign, f"{folder}/{name}.pub"], check=True)
    return folder


def krl(folder, *specification, authority="ca"):
    (folder / "spec").write_text("".join(f"{line}\n" for line in specification))
    make = ["ssh-keygen", "-q", "-k", "-f", f"{folder}/krl", "-s", f"{folder}/{authority}.pub", f"{folder}/spec"]
    subprocess.run(make, check=True)
    return (folder / "krl").read_bytes()


def ssh_says(folder, name):
    asked = ["ssh-keygen", "-Q", "-f", f"{folder}/krl", f"{folder}/{name}.pub"]
    return subprocess.run(asked, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    ("specification", "authority", "expected"),
    [
        (("serial: 70",), "ca", {"b-cert"}),
        (("serial: 1-70",), "ca", {"a-cert", "b-cert"}),
        (("serial: 1", "serial: 3", "serial: 70", "serial: 72", "serial: 75"), "ca", {"a-cert", "b-cert"}),
        (("serial: 1-70",), "ca2", set()),
        (("id: id c",), "ca", {"c-cert"}),
        (("key: {a}",), "ca", {"a", "a-cert"}),
        (("sha1: {b}",), "ca", {"b", "b-cert"}),
        (("sha256: {b}",), "ca", {"b", "b-cert"}),
        (("hash: {hash}",), "ca", {"c", "c-cert"}),
        (("key: {ca}",), "ca", {"a-cert", "b-cert", "c-cert"}),
        (("key: {a}", "serial: 70", "id: id c", "sha256: {b}"), "ca", {"a", "b", "a-cert", "b-cert", "c-cert"}),
    ],
)
def test_every_kind_of_entry_as_ssh_judges(folder, specification, authority, expected):
    keys = {name: " ".join((folder / f"{name}.pub").read_text().split()[:2]) for name in ("a", "b", "c", "ca")}
    show = ["ssh-keygen", "-l", "-f", f"{folder}/c.pub"]
    keys["hash"] = subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()[1]
    found = parse_revocations(krl(folder, *(line.format(**keys) for line in specification), authority=authority))
    revoked = set()
    for name in ("a", "b", "c"):
        key, certificate = blob_of(folder / f"{name}.pub"), parse_certificate(blob_of(folder / f"{name}-cert.pub"))
        revoked |= {name} if found.has(key, None) else set()
        revoked |= {f"{name}-cert"} if found.has(key, certificate) else set()
    assert revoked == expected
    assert {name for k in "abc" for name in (k, f"{k}-cert") if ssh_says(folder, name)} == expected


def test_a_list_of_keys(folder):
    text = f"# gone\n\n{(folder / 'a.pub').read_text()}"
    found = parse_revocations(text.encode())
    assert found.has(blob_of(folder / "a.pub"), None)
    assert not found.has(blob_of(folder / "b.pub"), None)
    assert found.has(blob_of(folder / "a.pub"), parse_certificate(blob_of(folder / "a-cert.pub")))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"ssh-ed25519\n", "line 1 is no public key"),
        (b"#\nssh-ed25519 AAAA\n", "line 2"),
        (b"\x80\x81", "line 1"),
        (MAGIC, "in the middle"),
        (MAGIC + b"\0\0\0\2", "version 2"),
        (HEADER + b"\x04" + pack(b""), "unknown kind 4"),
        (HEADER + b"\x02" + pack(pack(b"x") + b"\0"), "in the middle"),
        (HEADER + b"\x01" + pack(pack(b"") + pack(b"") + b"\x30" + pack(b"")), "unknown kind 0x30"),
        (HEADER + b"\xff" + pack(pack(b"name") + b"\1" + pack(b"")), "critical extension 'name'"),
        (HEADER + b"\x01" + pack(pack(b"") + pack(b"") + b"\x39" + pack(pack(b"n") + b"\1")), "critical extension 'n'"),
    ],
)
def test_what_cannot_be_read_whole_is_an_error(data, why):
    with pytest.raises(ValueError, match=why):
        parse_revocations(data)


def test_extensions_that_are_not_critical_are_passed_over():
    assert parse_revocations(HEADER + b"\xff" + pack(pack(b"name") + b"\0" + pack(b""))).keys == set()
