"""What is offered to a server, in which order, and what is said when there is nothing; servers take it in the tests
of connecting."""

import asyncio
import subprocess

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh import credentials as module
from orchestra.engine.ssh.credentials import KeyTooOpen, gather, public_part, read_private
from orchestra.model.topology import SecretRef, SshSettings
from orchestra.session.errors import OpenFailed
from tests.engine.ssh.sshd import make_key

pytestmark = pytest.mark.skipif(module.os.name != "posix", reason="keys have modes on POSIX")


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """A user without keys and without an agent; the folder of their keys."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(module, "ssh_folder", lambda: tmp_path)
    return tmp_path


def offered(settings, secrets=None):
    """The names of what is offered, the password, and what was noticed."""
    noticed = []

    async def read_secret(ref):
        return (secrets or {})[ref.value]

    async def main():
        found = await gather(settings, "gateway", read_secret, noticed.append)
        names, password, count = list(found.names), found.password, len(found.keys)
        await found.close()
        assert (found.keys, found.password) == ([], None)
        return names, password, count

    return *asyncio.run(main()), noticed


def refused(settings, secrets=None):
    with pytest.raises(OpenFailed) as caught:
        offered(settings, secrets)
    assert (caught.value.code, caught.value.host) == (Code.AUTH_FAILED, "gateway")
    return caught.value


def test_without_anything_named_the_default_files_are_offered_as_ssh_does(nobody):
    make_key(nobody / "id_ed25519")
    make_key(nobody / "id_ecdsa", "ecdsa")
    (nobody / "id_rsa").write_text("no key")
    (nobody / "id_rsa").chmod(0o600)
    names, password, count, noticed = offered(SshSettings())
    assert names == [
        f"{nobody}/id_ed25519 (ssh-ed25519)",
        f"{nobody}/id_ecdsa (ecdsa-sha2-nistp256)",
    ]
    assert (password, count, noticed) == (None, 2, [])


def test_what_is_named_is_offered_alone(nobody):
    make_key(nobody / "id_ed25519")
    make_key(nobody / "mine")
    names, *_ = offered(SshSettings(identity=(str(nobody / "mine"),)))
    assert names == [f"{nobody}/mine (ssh-ed25519)"]
    names, password, count, _ = offered(SshSettings(password=SecretRef(kind="x", value="p")), {"p": b"secret"})
    assert (names, password, count) == (["password"], "secret", 0)


def test_a_default_key_that_others_may_read_is_left_out_and_said(nobody):
    make_key(nobody / "id_ed25519")
    (nobody / "id_ed25519").chmod(0o644)
    names, _, _, noticed = offered(SshSettings())
    assert names == []
    assert "permissions 0644" in noticed[0]
    failure = refused(SshSettings(identity=(str(nobody / "id_ed25519"),)))
    assert failure.suggestion == f"chmod 600 {nobody}/id_ed25519"
    with pytest.raises(KeyTooOpen):
        read_private(str(nobody / "id_ed25519"))


def test_an_encrypted_key_needs_its_passphrase_or_an_agent(nobody):
    make_key(nobody / "locked", "ed25519", "-N", "open sesame")
    locked = str(nobody / "locked")
    assert "is encrypted" in refused(SshSettings(identity=(locked,))).message
    settings = SshSettings(identity=(locked,), passphrase=SecretRef(kind="x", value="p"))
    assert offered(settings, {"p": b"open sesame"})[0] == [f"{locked} (ssh-ed25519)"]
    assert "the passphrase is wrong" in refused(settings, {"p": b"guess"}).message
    public = (nobody / "locked.pub").read_text().split()[1]
    (nobody / "locked.pub").unlink()
    assert (
        public_part(locked, (nobody / "locked").read_bytes())
        == module.asyncssh.import_public_key(f"ssh-ed25519 {public}").public_data
    )


def test_what_is_no_key_and_what_is_no_agent_are_named(nobody):
    (nobody / "text").write_text("hello")
    (nobody / "text").chmod(0o600)
    assert "is no private key" in refused(SshSettings(identity=(str(nobody / "text"),))).message
    assert "No such file" in refused(SshSettings(identity=(str(nobody / "missing"),))).message
    assert "does not answer" in refused(SshSettings(agent=str(nobody / "no.sock"))).message


def test_a_certificate_beside_a_key_goes_with_it(nobody):
    make_key(nobody / "authority")
    make_key(nobody / "mine")
    sign = ["ssh-keygen", "-q", "-s", nobody / "authority", "-I", "me", "-n", "alice", nobody / "mine.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    names, *_ = offered(SshSettings(identity=(str(nobody / "mine"),)))
    assert names == [f"{nobody}/mine (ssh-ed25519, certified)"]
