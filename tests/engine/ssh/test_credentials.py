"""What is offered to a server, in which order, and what is said when there is nothing; servers take it in the tests
of authenticating."""

import asyncio
import subprocess

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh import credentials as module
from orchestra.engine.ssh.credentials import Asking, gather
from orchestra.model.topology import ConfigSettings, SecretRef, SshSettings
from orchestra.session.errors import OpenFailed
from tests.engine.ssh.agents import agent_with
from tests.engine.ssh.sshd import make_key

pytestmark = pytest.mark.skipif(module.agents.os.name != "posix", reason="keys have modes on POSIX")


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """A user without keys and without an agent; the folder of their keys."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(module, "ssh_folder", lambda: tmp_path)
    return tmp_path


def offered(settings, secrets=None, user="alice"):
    """The names of what is offered, the password, what was noticed, and what a failure would say besides."""
    noticed = []

    async def read_secret(ref):
        return (secrets or {})[ref.value]

    async def ask(question):
        raise AssertionError(f"nobody has to answer {question}")

    async def main():
        asking = Asking(read_secret=read_secret, notice=noticed.append, ask=ask)
        found = await gather(settings, user, "gateway", asking)
        names, password = [offer.name for offer in found.offers], await found.answers.password(may_ask=False)
        await found.close()
        assert found.offers == []
        return names, password, found.remarks.texts

    names, password, remarks = asyncio.run(main())
    return names, password, noticed, remarks


def names_of(settings, **more):
    return offered(settings, **more)[0]


def refused(settings, secrets=None):
    with pytest.raises(OpenFailed) as caught:
        offered(settings, secrets)
    assert (caught.value.code, caught.value.host) == (Code.AUTH_FAILED, "gateway")
    return caught.value


def from_config(**values):
    """Settings that ssh_config gave."""
    own = {name: value for name, value in values.items() if name in ("identity", "certificate", "agent")}
    rest = {name: value for name, value in values.items() if name not in own}
    config = ConfigSettings(origins=dict.fromkeys(own, "/etc/ssh/ssh_config:1"), **rest)
    return SshSettings(config=config, **own)


def test_without_anything_named_the_default_files_are_offered_as_ssh_does(nobody):
    make_key(nobody / "id_ed25519")
    make_key(nobody / "id_ecdsa", "ecdsa")
    (nobody / "id_rsa").write_text("no key")
    (nobody / "id_rsa").chmod(0o600)
    names, password, noticed, remarks = offered(SshSettings())
    assert names == [
        f"{nobody}/id_ed25519 (ssh-ed25519)",
        f"{nobody}/id_ecdsa (ecdsa-sha2-nistp256)",
    ]
    assert (password, noticed) == (None, [])
    assert remarks == [f"{nobody}/id_rsa is no private key that can be read: Invalid private key"]


def test_what_is_named_is_offered_alone(nobody):
    make_key(nobody / "id_ed25519")
    make_key(nobody / "mine")
    assert names_of(SshSettings(identity=(str(nobody / "mine"),))) == [f"{nobody}/mine (ssh-ed25519)"]
    names, password, *_ = offered(SshSettings(password=SecretRef(kind="x", value="p")), {"p": b"secret"})
    assert (names, password) == ([], "secret")


def test_a_default_key_that_others_may_read_is_left_out_and_said(nobody):
    make_key(nobody / "id_ed25519")
    (nobody / "id_ed25519").chmod(0o644)
    names, _, noticed, _ = offered(SshSettings())
    assert names == []
    assert "permissions 0644" in noticed[0]
    failure = refused(SshSettings(identity=(str(nobody / "id_ed25519"),)))
    assert failure.suggestion == f"chmod 600 {nobody}/id_ed25519"


@pytest.mark.parametrize("options", [(), ("-m", "PEM"), ("-m", "PKCS8")], ids=["OpenSSH", "PEM", "PKCS8"])
def test_an_encrypted_key_is_offered_before_anybody_is_asked_for_its_passphrase(nobody, options):
    make_key(nobody / "locked", "ecdsa", "-N", "open sesame", *options)
    locked = str(nobody / "locked")
    assert names_of(SshSettings(identity=(locked,))) == [f"{locked} (ecdsa-sha2-nistp256)"]
    settings = SshSettings(identity=(locked,), passphrase=SecretRef(kind="x", value="p"))
    assert names_of(settings, secrets={"p": b"open sesame"}) == [f"{locked} (ecdsa-sha2-nistp256)"]
    assert "the passphrase is wrong" in refused(settings, {"p": b"guess"}).message
    (nobody / "locked.pub").unlink()
    shown = "ecdsa-sha2-nistp256" if not options else "encrypted"  # only OpenSSH's format has the public part outside
    assert names_of(SshSettings(identity=(locked,))) == [f"{locked} ({shown})"]


def test_what_is_no_key_and_what_is_no_agent_are_named(nobody):
    (nobody / "text").write_text("hello")
    (nobody / "text").chmod(0o600)
    assert "is no private key" in refused(SshSettings(identity=(str(nobody / "text"),))).message
    assert "No such file" in refused(SshSettings(identity=(str(nobody / "missing"),))).message
    assert "does not answer: No such file" in refused(SshSettings(agent=str(nobody / "no.sock"))).message


def test_what_only_ssh_config_names_may_be_missing_and_the_agent_is_asked_too(nobody, monkeypatch):
    make_key(nobody / "mine")
    with agent_with(nobody, "other") as agent:
        monkeypatch.setenv("SSH_AUTH_SOCK", agent)
        identity = (str(nobody / "mine"), str(nobody / "missing"))
        assert names_of(from_config(identity=identity)) == [
            f"{nobody}/mine (ssh-ed25519)",
            "agent's other (ssh-ed25519)",
        ]
        assert names_of(from_config(identity=identity, identities_only=True)) == [f"{nobody}/mine (ssh-ed25519)"]
        assert names_of(from_config(identity=identity, agent="none")) == [f"{nobody}/mine (ssh-ed25519)"]
        assert names_of(SshSettings(identity=identity[:1])) == [f"{nobody}/mine (ssh-ed25519)"]
        assert names_of(SshSettings(identity=identity[:1], agent=agent))[1:] == ["agent's other (ssh-ed25519)"]


@pytest.mark.parametrize("named", ["first.pub", "first"])
def test_a_public_key_is_used_by_the_agent_s_hand(nobody, monkeypatch, named):
    with agent_with(nobody, "first", "second") as agent:
        monkeypatch.setenv("SSH_AUTH_SOCK", agent)
        (nobody / "first").unlink()
        only = from_config(identity=(str(nobody / named),), identities_only=True)
        assert names_of(only) == [f"{nobody}/{named} (ssh-ed25519)"]
        assert names_of(SshSettings(identity=(str(nobody / named),))) == [f"{nobody}/{named} (ssh-ed25519)"]
    make_key(nobody / "third")
    assert "is a public key" in refused(SshSettings(identity=(str(nobody / "third.pub"),))).message


def test_an_agent_that_has_gone_or_has_nothing_is_remarked(nobody, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", str(nobody / "gone"))
    assert f"the agent at {nobody}/gone does not answer: No such file or directory" in offered(SshSettings())[3]
    with agent_with(nobody, "key") as agent:
        subprocess.run(["ssh-add", "-D"], env={"SSH_AUTH_SOCK": agent}, check=True, capture_output=True)
        assert f"the agent at {agent} has no keys, or is locked" in offered(SshSettings(agent=agent))[3]


def sign(folder, *options):
    make_key(folder / "mine")
    if not (folder / "authority").exists():
        make_key(folder / "authority")
    command = ["ssh-keygen", "-q", "-s", folder / "authority", "-I", "me", *options, folder / "mine.pub"]
    subprocess.run(command, check=True, capture_output=True)
    return SshSettings(identity=(str(folder / "mine"),))


def test_a_certificate_beside_a_key_goes_before_it(nobody):
    names, _, noticed, _ = offered(sign(nobody, "-n", "alice"))
    assert names == [f"{nobody}/mine (ssh-ed25519, certified)", f"{nobody}/mine (ssh-ed25519)"]
    assert noticed == []


def test_a_named_certificate_goes_with_its_key_wherever_that_is(nobody, monkeypatch):
    settings = sign(nobody, "-n", "alice")
    (nobody / "mine-cert.pub").rename(nobody / "cert")
    with agent_with(nobody, "mine", made=True) as agent:
        for more in ({"identity": settings.identity}, {"agent": agent}):
            names = names_of(SshSettings(certificate=(str(nobody / "cert"),), **more))
            assert [name.partition(" (")[2] for name in names] == ["ssh-ed25519, certified)", "ssh-ed25519)"]
    settings = SshSettings(identity=settings.identity, certificate=(str(nobody / "none"),))
    assert "No such file" in refused(settings).message


@pytest.mark.parametrize(
    ("options", "said", "count"),
    [
        (["-n", "alice", "-V", "20200101000000Z:20200102030405Z"], "expired at 2020-01-02 03:04:05 UTC", 1),
        (["-n", "alice", "-V", "20400101000000Z:20400102000000Z"], "is not valid before 2040-01-01 00:00:00 UTC", 1),
        (["-n", "alice", "-h"], "is one for hosts", 1),
        (["-n", "bob,carol"], "is for bob, carol, not for alice", 2),
        ([], "is for nobody by name, not for alice", 2),
    ],
)
def test_a_certificate_that_does_not_hold_is_said_before_anything_is_dialed(nobody, options, said, count):
    names, _, noticed, remarks = offered(sign(nobody, *options))
    assert f"certificate {nobody}/mine-cert.pub {said}" in noticed[0]
    assert (len(names), remarks) == (count, noticed)


@pytest.mark.parametrize(("until", "told"), [("+23h", 1), ("+25h", 0)])
def test_a_certificate_that_expires_within_a_day_is_told_and_offered(nobody, until, told):
    names, _, noticed, remarks = offered(sign(nobody, "-n", "alice", "-V", f"-1h:{until}"))
    assert [each.partition(" at ")[0] for each in noticed] == [f"certificate {nobody}/mine-cert.pub expires"] * told
    assert (len(names), remarks) == (2, [])


def test_ssh_config_narrows_what_is_offered(nobody):
    make_key(nobody / "id_ed25519")
    make_key(nobody / "id_rsa", "rsa", "-b", "2048")
    assert len(names_of(from_config())) == 2
    names, _, _, remarks = offered(from_config(required_rsa_size=3072))
    assert names == [f"{nobody}/id_ed25519 (ssh-ed25519)"]
    assert remarks == [f"{nobody}/id_rsa is not offered: it has 2048 bits, RequiredRSASize asks for 3072"]
    assert names_of(from_config(pubkey_algorithms="-ssh-ed25519")) == [f"{nobody}/id_rsa (ssh-rsa)"]
    assert names_of(from_config(pubkey_algorithms="ecdsa-*")) == []
    assert names_of(from_config(pubkey_authentication=False)) == []


@pytest.mark.parametrize(
    "written", [lambda k: k.strip(), lambda k: k.replace("\n", "\\n"), lambda k: k.replace("\n", " ")]
)
def test_a_key_from_a_secret_is_taken_as_build_systems_carry_it(nobody, written):
    make_key(nobody / "mine")
    text = written((nobody / "mine").read_text())
    settings = SshSettings(private_key=SecretRef(kind="x", value="k"))
    assert names_of(settings, secrets={"k": text.encode()}) == ["private_key of gateway (ssh-ed25519)"]
