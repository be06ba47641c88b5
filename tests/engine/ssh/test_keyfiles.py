from __future__ import annotations

import asyncssh
import pytest

from orchestra.engine.ssh.keyfiles import (
    KeyTooOpen,
    Locked,
    NoKey,
    is_public,
    mended,
    open_private,
    public_part,
    read_private,
)
from tests.engine.ssh.sshd import make_key


def test_a_private_key_that_others_may_read_is_refused_and_a_public_one_is_not(tmp_path):
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(KeyTooOpen, match=r"permissions 0640 of .* are too open"):
        read_private(str(tmp_path / "key"))
    assert is_public(read_private(str(tmp_path / "key.pub")))
    (tmp_path / "key").chmod(0o400)
    assert not is_public(read_private(str(tmp_path / "key")))


@pytest.mark.parametrize("options", [(), ("-m", "PEM"), ("-m", "PKCS8")], ids=["OpenSSH", "PEM", "PKCS8"])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_every_format_is_read_locked_or_not(tmp_path, kind, options):
    public = make_key(tmp_path / "open", kind, *options)
    make_key(tmp_path / "locked", kind, "-N", "sesame", *options)
    assert open_private((tmp_path / "open").read_bytes()).export_public_key().decode().startswith(public)
    locked = (tmp_path / "locked").read_bytes()
    for passphrase, wrong in ((None, False), (b"guess", True)):
        with pytest.raises(Locked) as caught:
            open_private(locked, passphrase)
        assert caught.value.wrong is wrong
    key = open_private(locked, b"sesame")
    beside = public_part(str(tmp_path / "locked"), locked)
    assert beside is not None
    assert key.public_data == beside.public_data


def test_a_wrong_passphrase_is_wrong_also_when_something_comes_out(tmp_path):
    make_key(tmp_path / "locked", "ecdsa", "-m", "PEM", "-N", "sesame")
    locked = (tmp_path / "locked").read_bytes()
    for guess in range(1500):
        with pytest.raises(Locked):
            open_private(locked, str(guess).encode())


def test_what_is_no_key_says_so():
    with pytest.raises(NoKey, match="is no private key that can be read"):
        open_private(b"hello")


@pytest.mark.parametrize(
    "carried",
    [
        lambda t: t.strip(),
        lambda t: t.replace("\n", "\\n"),
        lambda t: t.replace("\n", " "),
        lambda t: t.replace("\n", "\r\n"),
    ],
    ids=["stripped", "escaped", "one line", "carriage returns"],
)
def test_secrets_of_build_systems_are_mended(carried):
    text = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    assert mended(carried(text).encode()) == text.encode()
