"""known_hosts as text."""

import base64
import hashlib
import hmac

import pytest

from orchestra.engine.ssh.certificates import Certificate
from orchestra.engine.ssh.hostkeys import (
    ShownKey,
    fingerprint,
    judge,
    lookup_name,
    matches,
    parse,
    pinned,
    rsa_bits,
    select,
    unreadable,
)
from orchestra.engine.ssh.revocations import Revocations
from orchestra.engine.ssh.wire import pack

BLOB = b"\0\0\0\x0bssh-ed25519" + b"\0\0\0\x20" + b"k" * 32
KEY = "ssh-ed25519 " + base64.b64encode(BLOB).decode()
OTHER = "ssh-ed25519 " + base64.b64encode(BLOB[:-1] + b"x").decode()


def hashed(name):
    digest = hmac.new(b"salt", name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(b'salt').decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        ("gw", "gw", True),
        ("GW.example", "gw.example", True),
        ("a,gw,b", "gw", True),
        ("*.example", "gw.example", True),
        ("*.example,!gw.example", "gw.example", False),
        ("gw?", "gw1", True),
        ("[gw]:2222", "[gw]:2222", True),
        ("[gw]:2222", "g", False),
        ("[*.example]:22??", "[a.example]:2222", True),
        (hashed("gw"), "gw", True),
        (hashed("gw"), "other", False),
        ("|1|broken", "gw", False),
    ],
)
def test_patterns(patterns, name, expected):
    assert matches(patterns, name) is expected


def test_bad_lines_are_passed_over():
    text = f"# comment\n\ngw\ngw ssh-ed25519 %%%\ngw ssh-rsa {KEY.split()[1]}\n@strange gw {KEY}\ngw {KEY} someone\n"
    assert [key.where for key in parse(text, "f")] == ["f:7"]


def test_the_port_comes_first_then_the_bare_name():
    known = list(parse(f"gw {KEY}\n[gw]:2222 {OTHER}\n", "f"))
    assert [key.where for key in select(known, "GW", 2222).keys] == ["f:2"]
    assert [key.where for key in select(known, "gw", 22).keys] == ["f:1"]
    bare = select(known, "gw", 2200)
    assert (bare.by_bare_name, [key.where for key in bare.keys]) == (True, ["f:1"])
    assert lookup_name("GW", 2222) == "[gw]:2222"


def test_a_key_revoked_for_the_bare_name_is_revoked():
    found = select(parse(f"[gw]:2222 {KEY}\n@revoked gw {KEY}\n@cert-authority * {OTHER}\n", "f"), "gw", 2222)
    assert [key.where for key in found.revoked] == ["f:2"]
    assert [key.where for key in found.keys] == ["f:1"]


def test_pinned_lines():
    found = pinned((KEY, f"@cert-authority {OTHER}"), "gw", "here")
    assert (len(found.keys), len(found.authorities), found.pinned) == (1, 1, True)
    assert found.keys[0].fingerprint == fingerprint(BLOB)


def test_lines_that_cannot_be_read_are_told():
    text = f"# comment\n\n  \ngw\ngw {KEY}\ngw ssh-ed25519 AAAA\n@revoked\n@strange gw {KEY}\n"
    assert list(unreadable(text, "f")) == ["f:4", "f:6", "f:7", "f:8"]


def test_lines_end_at_line_feeds_only():
    assert [key.where for key in parse(f"# a\x0bgw {KEY}\u2028gw {KEY}\x85\ngw {KEY}\r\n", "f")] == ["f:2"]


AUTHORITY = BLOB[:-1] + b"a"
CERTIFICATE = Certificate(
    key=BLOB,
    authority=AUTHORITY,
    signed_with="ssh-ed25519",
    serial=1,
    key_id="id",
    is_for_hosts=True,
    principals=("gw",),
    valid_after=10,
    valid_before=20,
    has_options=False,
)
SIGNER = f"@cert-authority * ssh-ed25519 {base64.b64encode(AUTHORITY).decode()}"


@pytest.mark.parametrize(
    ("lines", "certificate", "now", "standing", "fault"),
    [
        ("", None, 15, "unknown", None),
        (f"gw {KEY}", None, 15, "known", None),
        (f"gw {OTHER}", None, 15, "changed", None),
        (f"gw {OTHER}\ngw {KEY}", None, 15, "known", None),
        (SIGNER, CERTIFICATE, 15, "known", None),
        (SIGNER, None, 15, "unknown", None),
        (SIGNER, CERTIFICATE, 9, "uncertified", "is not valid before"),
        (SIGNER, CERTIFICATE, 20, "uncertified", "expired at"),
        (f"{SIGNER}\ngw {KEY}", CERTIFICATE, 20, "known", None),
        (f"{SIGNER}\ngw {OTHER}", CERTIFICATE, 20, "changed", "expired at"),
        ("", CERTIFICATE, 15, "unknown", "an authority that is not known"),
        (f"gw {KEY}", CERTIFICATE, 15, "known", None),
        (f"{SIGNER}\n{SIGNER.replace('@cert-authority', '@revoked')}", CERTIFICATE, 15, "revoked", None),
        (f"{SIGNER}\n@revoked gw {KEY}", CERTIFICATE, 15, "revoked", None),
    ],
)
def test_what_a_key_means(lines, certificate, now, standing, fault):
    verdict = judge(ShownKey(BLOB, certificate), select(parse(lines, "f"), "GW", 22), Revocations(), now)
    assert verdict.standing == standing
    assert (fault in verdict.certificate) if fault else verdict.certificate is None


def test_what_a_list_revokes_is_revoked_whoever_vouches():
    trusted = select(parse(f"gw {KEY}\n{SIGNER}", "f"), "gw", 22)
    for blob in (BLOB, AUTHORITY):
        assert judge(ShownKey(BLOB, CERTIFICATE), trusted, Revocations(keys={blob}), 15).standing == "revoked"
    assert judge(ShownKey(BLOB), trusted, Revocations(keys={AUTHORITY}), 15).standing == "known"


def test_the_length_of_rsa_keys():
    key = pack(b"ssh-rsa") + pack(b"\1\0\1") + pack(b"\0\x80" + bytes(127))
    assert (rsa_bits(key), rsa_bits(BLOB)) == (1024, None)
    with pytest.raises(ValueError, match="in the middle"):
        rsa_bits(key[:-1])
