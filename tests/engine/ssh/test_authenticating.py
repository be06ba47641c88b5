"""Who we are to real servers: what they are shown, in which order, and what is said when they do not take it."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
from hashlib import sha256
from pathlib import Path

import asyncssh
import pytest
from asyncssh import sk_eddsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestra.diagnostics import Code
from orchestra.engine.ssh import internals
from orchestra.engine.ssh.authenticating import methods
from orchestra.engine.ssh.transport import SshTransport
from orchestra.model.topology import ConfigSettings, SecretRef, SshSettings
from orchestra.plugin.interfaces import nobody
from orchestra.session import OpenFailed
from orchestra.session.here import Here
from tests.engine.ssh.agents import agent_with, ssh_add
from tests.engine.ssh.sshd import Keys, free_port, make_key, needs_sshd, request, sshd


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Keys of a user who has nothing else: no agent, no files at the usual place."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Keys(tmp_path)


class Person:
    """Types these answers, one after the other; what was asked is in ``questions``."""

    def __init__(self, *answers, delay=0.0):
        self.answers, self.delay, self.questions = list(answers), delay, []

    async def __call__(self, question):
        self.questions.append(question)
        await asyncio.sleep(self.delay)
        return self.answers.pop(0)

    @property
    def asked(self):
        return [(question.text, question.again) for question in self.questions]


async def read_value(ref):
    return ref.value


def secret(value):
    return SecretRef(kind="test", value=value)


async def log_in(settings, ask=nobody, notices=None):
    """Opens a session and closes it again; the failure, or None."""
    here = Here("laptop")
    notice = (notices if notices is not None else []).append
    try:
        asked = request(settings, here, ask=ask, read_secret=read_value, notice=notice)
        session = await SshTransport().open(asked)
    except OpenFailed as failure:
        return failure
    await session.ping()
    session.close()
    assert await session.wait_closed() is None
    return None


def to_sshd(keys, *config, ask=nobody, notices=None, **changes):
    async def main():
        async with sshd(keys, *config) as server:
            return await log_in(server.settings(**changes), ask, notices)

    return asyncio.run(main())


class Server(asyncssh.SSHServer):
    """Takes a password, or answers to rounds of prompts; ``tried`` is what it was told."""

    def __init__(self, password=None, rounds=()):
        self.password, self.rounds, self.tried = password, rounds, []
        self._left = []

    def begin_auth(self, _username):
        return True

    def password_auth_supported(self):
        return self.password is not None

    def validate_password(self, _username, password):
        self.tried.append(password)
        return password == self.password

    def kbdint_auth_supported(self):
        return bool(self.rounds)

    def get_kbdint_challenge(self, _username, _lang, _submethods):
        self._left = list(self.rounds)
        return self._next()

    def validate_kbdint_response(self, _username, responses):
        self.tried.append(list(responses))
        if [f"right {prompt}" for prompt, _ in self._prompts] != list(responses):
            return False
        return self._next() if self._left else True

    def _next(self):
        name, instructions, self._prompts = self._left.pop(0)
        return name, instructions, "", self._prompts


def to_server(keys, server, ask=nobody, notices=None, **changes):
    """Logs in to an asyncssh server, without a key unless one is named."""

    async def main():
        host_key = asyncssh.read_private_key(keys.folder / "host_key")
        listening = await asyncssh.listen("127.0.0.1", 0, server_factory=lambda: server, server_host_keys=[host_key])
        settings = SshSettings(
            **{
                "host": "127.0.0.1",
                "port": listening.get_port(),
                "user": "alice",
                "host_key": (keys.host_key,),
                **changes,
            }
        )
        try:
            return await log_in(settings, ask, notices)
        finally:
            listening.close()
            await listening.wait_closed()

    return asyncio.run(main())


# Keys.


def locked_key(keys):
    """A key that is encrypted, as the user's."""
    public = make_key(keys.folder / "locked", "ed25519", "-N", "sesame")
    (keys.folder / "authorized_keys").write_text(f"{public}\n")
    return (str(keys.folder / "locked"),)


@needs_sshd
def test_a_passphrase_is_asked_for_up_to_three_times(keys):
    identity = locked_key(keys)
    person = Person("wrong", "sesame")
    assert to_sshd(keys, ask=person, identity=identity) is None
    what = f"passphrase of {identity[0]}:"
    assert person.asked == [(f"gateway: {what}", False), (f"gateway: wrong, once more the {what}", True)]
    person = Person("a", "b", "c")
    failure = to_sshd(keys, ask=person, identity=identity)
    assert (failure.code, "was wrong 3 times" in failure.message) == (Code.AUTH_FAILED, True)
    failure = to_sshd(keys, ask=Person(), identity=identity, config=ConfigSettings(password_prompts=0))
    assert "is encrypted, and ssh_config wants no questions (BatchMode)" in failure.message


@needs_sshd
def test_a_passphrase_is_not_asked_for_when_the_server_would_not_take_the_key(keys):
    identity = locked_key(keys)
    (keys.folder / "authorized_keys").write_text("")
    person = Person()
    failure = to_sshd(keys, ask=person, identity=identity)
    assert (failure.code, person.questions) == (Code.AUTH_FAILED, [])
    assert f"offered: {identity[0]} (ssh-ed25519)" in failure.message


@needs_sshd
def test_an_encrypted_key_without_a_terminal_says_what_would_have_to_be_asked(keys):
    identity = locked_key(keys)
    failure = to_sshd(keys, identity=identity)
    assert failure.code == Code.AUTH_FAILED
    assert f"{identity[0]} is encrypted, and there is nobody to ask for its passphrase" in failure.message
    assert failure.suggestion == "name its passphrase as a secret, or add the key to the agent"


@needs_sshd
def test_an_encrypted_key_without_a_public_part_is_opened_when_it_is_its_turn(keys):
    make_key(keys.folder / "pem", "ecdsa", "-N", "sesame", "-m", "PEM")
    public = (keys.folder / "pem.pub").read_text()
    (keys.folder / "authorized_keys").write_text(public)
    (keys.folder / "pem.pub").unlink()
    person = Person("sesame")
    assert to_sshd(keys, ask=person, identity=(str(keys.folder / "pem"),)) is None
    assert len(person.questions) == 1
    failure = to_sshd(keys, ask=Person(""), identity=(str(keys.folder / "pem"),))
    assert "no passphrase was given" in failure.message


@needs_sshd
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
@pytest.mark.parametrize("options", [(), ("-m", "PEM"), ("-m", "PKCS8")], ids=["OpenSSH", "PEM", "PKCS8"])
def test_every_kind_of_key_opens(keys, kind, options):
    public = make_key(keys.folder / "key", kind, *options)
    (keys.folder / "authorized_keys").write_text(f"{public}\n")
    assert to_sshd(keys, identity=(str(keys.folder / "key"),)) is None


class SecurityKey:
    """What the library would find at the USB port; its key is in memory, and it is always touched."""

    def __init__(self, folder):
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes_raw()
        key = sk_eddsa._SKEd25519Key(public, "ssh:", 1, b"handle")
        key.write_private_key(folder / "id_sk")
        (folder / "id_sk").chmod(0o600)
        key.write_public_key(folder / "authorized_keys")

    def sign(self, data, application, _handle, flags):
        signed = sha256(application.encode()).digest() + struct.pack(">BI", flags, 7) + sha256(data).digest()
        return flags, 7, self._key.sign(signed), data


@needs_sshd
def test_a_security_key_signs_when_it_is_touched_and_without_its_library_says_so(keys, monkeypatch):
    device, notices = SecurityKey(keys.folder), []
    identity = (str(keys.folder / "id_sk"),)
    monkeypatch.setattr(internals, "HAS_FIDO2", False)
    failure = to_sshd(keys, identity=identity)
    assert f"{identity[0]} is on a security key, which needs the library fido2" in failure.message
    assert "asyncssh[fido2]" in failure.suggestion
    monkeypatch.setattr(internals, "HAS_FIDO2", True)
    monkeypatch.setattr(sk_eddsa, "sk_sign", device.sign)
    assert to_sshd(keys, identity=identity, notices=notices) is None
    assert notices == [f"touch the security key for {identity[0]}"]


# Agents.


@needs_sshd
def test_an_agent_that_is_locked_says_so_and_opens_when_it_is_unlocked(keys):
    with agent_with(keys.folder, "user_key", made=True) as agent:
        lock(agent, "-x")
        failure = to_sshd(keys, identity=(), agent=agent)
        assert failure.code == Code.AUTH_FAILED
        assert f"the agent at {agent} has no keys, or is locked" in failure.message
        assert "ssh-add -X" in failure.suggestion
        lock(agent, "-X")
        assert to_sshd(keys, identity=(), agent=agent) is None


def lock(agent, option):
    """ssh-add reads the passphrase from a program, where there is no terminal."""
    program = Path(agent).with_name("askpass")
    program.write_text("#!/bin/sh\necho sesame\n")
    program.chmod(0o700)
    environ = os.environ | {"SSH_AUTH_SOCK": agent, "SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", option], env=environ, check=True, capture_output=True, stdin=subprocess.DEVNULL)


@needs_sshd
def test_an_agent_that_does_not_sign_is_named(keys):
    with agent_with(keys.folder) as agent:
        ssh_add(agent, "-c", str(keys.folder / "user_key"))  # it would ask its owner, and cannot
        failure = to_sshd(keys, identity=(), agent=agent)
    assert f"the agent at {agent} does not sign with agent's test" in failure.message


@needs_sshd
def test_an_agent_full_of_wrong_keys_says_which_the_server_has_not_seen(keys):
    with agent_with(keys.folder, *(f"key{number}" for number in range(7))) as agent:
        ssh_add(agent, str(keys.folder / "user_key"))
        failure = to_sshd(keys, "MaxAuthTries 6", identity=(), agent=agent)
        assert failure.code == Code.AUTH_FAILED
        assert "hung up" in failure.message
        assert "after 6 offers: agent's key0 (ssh-ed25519)" in failure.message
        assert "and 1 more; it has not seen agent's key6 (ssh-ed25519), agent's test (ssh-ed25519)" in failure.message
        assert "MaxAuthTries" in failure.suggestion
        named = (str(keys.folder / "user_key.pub"),)
        assert to_sshd(keys, "MaxAuthTries 2", identity=named, agent=agent) is None  # named ones go first


@needs_sshd
def test_an_agent_that_has_gone_is_no_obstacle_and_is_remarked(keys, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", str(keys.folder / "gone"))
    failure = to_sshd(keys, identity=())
    assert f"the agent at {keys.folder}/gone does not answer: No such file" in failure.message


# Certificates.


def certify(keys, *options):
    """A server that trusts an authority alone, and a certificate by it; sshd's configuration."""
    make_key(keys.folder / "authority")
    sign = ["ssh-keygen", "-q", "-s", keys.folder / "authority", "-I", "me", *options, keys.folder / "user_key.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    (keys.folder / "authorized_keys").write_text("")
    return f"TrustedUserCAKeys {keys.folder}/authority.pub"


@needs_sshd
def test_a_certificate_opens_with_its_key_in_a_file_or_in_an_agent(keys):
    config = certify(keys, "-n", "root")
    assert to_sshd(keys, config) is None
    with agent_with(keys.folder, "user_key", made=True) as agent:
        assert to_sshd(keys, config, identity=(), agent=agent) is None  # ssh-add has taken it along
    (keys.folder / "user_key-cert.pub").rename(keys.folder / "cert")
    with agent_with(keys.folder, "user_key", made=True) as agent:
        certificate = (str(keys.folder / "cert"),)
        assert to_sshd(keys, config, identity=(), agent=agent, certificate=certificate) is None
        assert to_sshd(keys, config, identity=(), agent=agent).code == Code.AUTH_FAILED


@needs_sshd
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-n", "root", "-V", "20200101000000Z:20200102000000Z"), "expired at 2020-01-02 00:00:00 UTC"),
        (("-n", "somebody"), "is for somebody, not for root"),
    ],
)
def test_a_certificate_that_does_not_hold_is_said_before_and_after(keys, options, said):
    notices = []
    failure = to_sshd(keys, certify(keys, *options), notices=notices)
    assert failure.code == Code.AUTH_FAILED
    assert said in notices[0]
    assert said in failure.message


@needs_sshd
def test_what_a_certificate_s_principals_mean_is_the_server_s_to_say(keys):
    config = certify(keys, "-n", "somebody")
    (keys.folder / "principals").write_text("somebody\n")
    assert to_sshd(keys, config, f"AuthorizedPrincipalsFile {keys.folder}/principals") is None


# Passwords and prompts.


def test_a_person_is_asked_for_a_password_where_the_file_leaves_it_to_us_and_no_deadline_runs_meanwhile(keys):
    server, person = Server("sesame"), Person("wrong", "sesame", delay=0.6)
    assert to_server(keys, server, person, connect_timeout=1.0) is None
    assert server.tried == ["wrong", "sesame"]
    what = "password of alice@gateway:"
    assert person.asked == [(f"gateway: {what}", False), (f"gateway: not accepted, once more the {what}", True)]


def test_a_password_that_is_never_right_is_asked_for_three_times(keys):
    server, person = Server("sesame"), Person("a", "b", "c", "d")
    failure = to_server(keys, server, person)
    assert (failure.code, server.tried) == (Code.AUTH_FAILED, ["a", "b", "c"])
    assert failure.suggestion == "check the user and the password"


def test_a_secret_goes_once_to_a_prompt_that_repeats(keys):
    server = Server("sesame", rounds=[("", "", [("Password: ", False)])])
    failure = to_server(keys, server, Person(), password=secret(b"guess"))
    assert (failure.code, server.tried) == (Code.AUTH_FAILED, [["guess"]])
    assert "offered: keyboard-interactive" in failure.message


def test_rounds_of_prompts_are_answered_by_the_secret_and_by_a_person(keys):
    rounds = [
        ("Login", "two\x1b[2J factors", [("Password: ", False), ("City: ", True)]),
        ("", "", []),
        ("", "", [("Code: ", False)]),
    ]
    server, person, notices = Server(rounds=rounds), Person("right City: ", "right Code: "), []
    assert to_server(keys, server, person, notices, password=secret(b"right Password: ")) is None
    asked = [(question.kind, question.text, question.echo) for question in person.questions]
    assert asked == [
        ("response", "gateway: (alice@gateway) City:", True),
        ("response", "gateway: (alice@gateway) Code:", False),
    ]
    assert notices == ["gateway says: Login", "gateway says: two·[2J factors"]


@pytest.mark.parametrize(
    ("server", "what"),
    [
        (Server("sesame"), "password of alice@gateway"),
        (Server(rounds=[("", "", [("OTP\x07: ", False)])]), "OTP·:"),
    ],
)
def test_without_a_terminal_the_failure_says_what_was_asked(keys, server, what):
    failure = to_server(keys, server)
    assert failure.code == Code.AUTH_FAILED
    assert f"it asks for “{what}”, and there is nobody to answer" in failure.message
    assert "a password as a secret" in failure.suggestion


def test_who_is_named_by_the_file_is_not_asked_for_a_password(keys):
    person = Person()
    failure = to_server(keys, Server("sesame"), person, identity=(str(keys.folder / "user_key"),))
    assert (failure.code, person.questions) == (Code.AUTH_FAILED, [])


@pytest.mark.parametrize("config", [{"password_authentication": False}, {"preferred_authentications": ("publickey",)}])
def test_ssh_config_may_rule_passwords_out(keys, config):
    server = Server("sesame")
    failure = to_server(keys, server, Person(), config=ConfigSettings(**config))
    assert (failure.code, server.tried) == (Code.AUTH_FAILED, [])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["publickey", "keyboard-interactive", "password"]),
        ({"preferred_authentications": ("password", "gssapi", "publickey")}, ["password", "publickey"]),
        ({"pubkey_authentication": False, "kbdint_authentication": False}, ["password"]),
        ({"preferred_authentications": ("hostbased",)}, ["none"]),
    ],
)
def test_methods_are_tried_in_the_order_that_ssh_config_says(config, expected):
    assert methods(ConfigSettings(**config)) == expected


@needs_sshd
def test_a_server_that_wants_two_methods_gets_them(keys):
    second = make_key(keys.folder / "second")
    with (keys.folder / "authorized_keys").open("a") as file:
        file.write(f"{second}\n")
    identity = (str(keys.folder / "user_key"), str(keys.folder / "second"))
    assert to_sshd(keys, "AuthenticationMethods publickey,publickey", identity=identity) is None


def test_a_server_that_does_not_wait_for_an_answer_is_named(keys):
    async def main():
        host_key = asyncssh.read_private_key(keys.folder / "host_key")
        port = free_port()
        listening = await asyncssh.listen(
            "127.0.0.1", port, server_factory=lambda: Server("x"), server_host_keys=[host_key], login_timeout=0.5
        )
        settings = SshSettings(host="127.0.0.1", port=port, user="alice", host_key=(keys.host_key,))
        try:
            return await log_in(settings, Person("late", delay=20))
        finally:
            listening.close()
            await listening.wait_closed()

    failure = asyncio.run(main())
    assert failure.code == Code.CONNECT_FAILED
    assert "did not wait for the answer to “gateway: password of alice@gateway:”" in failure.message
