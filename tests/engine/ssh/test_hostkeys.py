"""known_hosts as text."""

import base64
import hashlib
import hmac

import pytest

from orchestra.engine.ssh.hostkeys import fingerprint, lookup_name, matches, parse, pinned, select

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
