"""Certificates that ssh-keygen makes, read and judged."""

import base64
import subprocess

import pytest

from orchestra.engine.ssh.certificates import SOON, Certificate, parse_certificate

from .sshd import make_key

NOW = 1_800_000_000


def blob_of(file):
    return base64.b64decode(file.read_text().split()[1])


def sign(tmp_path, kind="ed25519", *options, authority="ed25519", bits=()):
    """(certificate, key, authority's key), in wire form."""
    make_key(tmp_path / "ca", authority)
    make_key(tmp_path / "host", kind, *bits)
    command = ["ssh-keygen", "-q", "-s", f"{tmp_path}/ca", "-I", "an id", *options, f"{tmp_path}/host.pub"]
    subprocess.run(command, check=True)
    return tuple(blob_of(tmp_path / name) for name in ("host-cert.pub", "host.pub", "ca.pub"))


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", ()), ("ecdsa", ("-b", "256")), ("ecdsa", ("-b", "521")), ("rsa", ("-b", "1024"))]
)
def test_every_field(tmp_path, kind, bits):
    options = ("-h", "-n", "gw,db", "-z", "7", "-V", "20200101000000Z:20300101000000Z")
    certificate, key, authority = sign(tmp_path, kind, *options, bits=bits)
    found = parse_certificate(certificate)
    assert (found.key, found.authority, found.signed_with) == (key, authority, "ssh-ed25519")
    assert (found.serial, found.key_id, found.is_for_hosts) == (7, "an id", True)
    assert (found.principals, found.valid_after, found.valid_before) == (("gw", "db"), 1577836800, 1893456000)
    assert found.host_fault("gw", NOW) is None
    assert found.host_fault("other", NOW) == "is for gw, db, not for other"
    assert found.host_fault("gw", 1577836799) == "is not valid before 2020-01-01 00:00:00 UTC"
    assert found.host_fault("gw", 1893456000) == "expired at 2030-01-01 00:00:00 UTC"


def test_without_principals_and_for_ever(tmp_path):
    found = parse_certificate(sign(tmp_path, "ed25519", "-h")[0])
    assert found.host_fault("anything", NOW) is None
    assert found.end(NOW) is None


def test_its_last_day_is_told(tmp_path):
    found = parse_certificate(sign(tmp_path, "ed25519", "-V", "20200101000000Z:20300101000000Z")[0])
    assert found.end(1893456000 - SOON) is None
    assert found.end(1893456000 - SOON + 1) == "expires at 2030-01-01 00:00:00 UTC"


def test_one_for_users_vouches_for_no_host(tmp_path):
    found = parse_certificate(sign(tmp_path, "ed25519", "-n", "gw")[0])
    assert found.host_fault("gw", NOW) == "is one for users, not for hosts"


def test_a_signature_of_yesterday(tmp_path):
    certificate, *_ = sign(tmp_path, "ed25519", "-h", "-t", "ssh-rsa", authority="rsa")
    assert parse_certificate(certificate).host_fault("gw", NOW) == "is signed with ssh-rsa, which is not accepted"


def test_critical_options_are_not_understood():
    found = Certificate(
        key=b"",
        authority=b"",
        signed_with="ssh-ed25519",
        serial=0,
        key_id="",
        is_for_hosts=True,
        principals=(),
        valid_after=0,
        valid_before=(1 << 64) - 1,
        has_options=True,
    )
    assert "critical options" in found.host_fault("gw", NOW)


def test_what_is_no_certificate(tmp_path):
    certificate, key, _ = sign(tmp_path, "ed25519", "-h")
    assert parse_certificate(key) is None
    for size in range(len(certificate)):
        try:
            assert parse_certificate(certificate[:size]) is None
        except ValueError:
            continue
