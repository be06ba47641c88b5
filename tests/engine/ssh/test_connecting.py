"""Opening sessions to a real sshd: whom we trust, who we are, and what is said when it fails."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess

import pytest

from orchestra.diagnostics import Code, Diagnostic
from orchestra.engine.ssh.hostkeys import fingerprint, parse
from orchestra.engine.ssh.transport import SshTransport
from orchestra.model.topology import ConfigSettings, SecretRef
from orchestra.session import DialRefused, OpenFailed
from orchestra.session.here import Here
from orchestra.testing.collect import Accepting, Collector

from .sshd import Keys, make_key, needs_sshd, opened, request, sshd

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


def open_to(keys, *lines, config=(), over=None, **changes):
    """Opens and closes one session; returns the failure, or None."""

    if "config_" in changes:  # ssh_config's part; `config` is sshd's
        changes["config"] = changes.pop("config_")

    async def main():
        here = Here("laptop")
        wanted = {name: changes.pop(name) for name in ("read_secret", "notice", "ask") if name in changes}
        async with sshd(keys, *config) as server:
            try:
                session = await SshTransport().open(request(server.settings(**changes), here, **wanted))
            except OpenFailed as failure:
                return failure
            await session.ping()
            session.close()
            assert await session.wait_closed() is None
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return None

    return asyncio.run(main())


def run(*command, env=None):
    done = subprocess.run(command, env=os.environ | (env or {}), check=True, capture_output=True, text=True)
    return done.stdout


def known(tmp_path, *lines):
    file = tmp_path / "known_hosts"
    file.write_text("".join(f"{line}\n" for line in lines))
    return (str(file),)


def test_an_unknown_host_key_is_shown(keys, tmp_path):
    failure = open_to(keys, known_hosts=known(tmp_path))
    assert failure.code == Code.HOST_KEY_UNKNOWN
    assert fingerprint(next(parse(f"x {keys.host_key}", "f")).blob) in str(failure)
    assert failure.host == "gateway"


def test_a_changed_host_key_is_not_an_unknown_one(keys, tmp_path):
    async def main():
        other = make_key(tmp_path / "other")
        async with sshd(keys) as server:
            file = known(tmp_path, "# old", f"[127.0.0.1]:{server.port} {other}")
            with pytest.raises(OpenFailed) as failed:
                await SshTransport().open(request(server.settings(known_hosts=file), Here("laptop")))
        assert failed.value.code == Code.HOST_KEY_CHANGED
        for text in (other, keys.host_key):
            assert fingerprint(next(parse(f"x {text}", "f")).blob) in str(failed.value)
        assert f"{file[0]}:2" in str(failed.value)

    asyncio.run(main())


def test_a_changed_key_of_another_type_is_a_changed_key(keys, tmp_path):
    async def main():
        other = make_key(tmp_path / "other", "ecdsa")
        async with sshd(keys) as server:
            file = known(tmp_path, f"[127.0.0.1]:{server.port} {other}")
            with pytest.raises(OpenFailed) as failed:
                await SshTransport().open(request(server.settings(known_hosts=file), Here("laptop")))
        assert failed.value.code == Code.HOST_KEY_CHANGED

    asyncio.run(main())


def test_a_key_known_for_the_bare_name_is_enough(keys, tmp_path):
    assert open_to(keys, known_hosts=known(tmp_path, f"gw {keys.host_key}"), host_key_name="gw") is None


def test_a_key_known_for_the_address_does_not_vouch_for_the_name(keys, tmp_path):
    failure = open_to(keys, known_hosts=known(tmp_path, f"127.0.0.1 {keys.host_key}"), host_key_name="gw")
    assert failure.code == Code.HOST_KEY_UNKNOWN


def test_a_revoked_key_is_never_accepted(keys, tmp_path):
    lines = (f"gw {keys.host_key}", f"@revoked * {keys.host_key}")
    failure = open_to(keys, known_hosts=known(tmp_path, *lines), host_key_name="gw")
    assert failure.code == Code.HOST_KEY_REVOKED
    assert "known_hosts:2" in str(failure)


def test_a_pin_does_not_take_back_what_the_user_has_revoked(keys, tmp_path, monkeypatch):
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "known_hosts").write_text(f"@revoked * {keys.host_key}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    failure = open_to(keys, host_key=(keys.host_key,))
    assert failure.code == Code.HOST_KEY_REVOKED
    assert "known_hosts:1" in str(failure)


def test_a_pinned_key_is_trusted_and_no_other(keys, tmp_path):
    assert open_to(keys, host_key=(keys.host_key,), known_hosts=()) is None
    failure = open_to(keys, host_key=(make_key(tmp_path / "other"),))
    assert failure.code == Code.HOST_KEY_CHANGED


def test_a_pinned_authority_vouches_for_certificates(keys, tmp_path):
    authority = make_key(tmp_path / "ca")
    run("ssh-keygen", "-q", "-s", f"{tmp_path}/ca", "-I", "test", "-h", "-n", "gw", f"{keys.folder}/host_key.pub")
    certificate = f"HostCertificate {keys.folder}/host_key-cert.pub"
    pin = (f"@cert-authority {authority}",)
    assert open_to(keys, config=(certificate,), host_key=pin, host_key_name="gw") is None
    failure = open_to(keys, config=(certificate,), host_key=pin, host_key_name="another")
    assert failure.code == Code.HOST_CERTIFICATE_INVALID
    assert "its certificate is for gw, not for another" in str(failure)


def test_a_new_key_is_kept_where_the_policy_says_so(keys, tmp_path):
    file = tmp_path / "new" / "known_hosts"
    notices = []
    changes = {"known_hosts": (str(file),), "host_key_policy": "accept-new", "host_key_name": "gw"}
    assert open_to(keys, notice=notices.append, **changes) is None
    assert keys.host_key in file.read_text()
    assert "SHA256:" in notices[0]
    file.write_text(f"gw {make_key(tmp_path / 'other')}\n")
    assert open_to(keys, **changes).code == Code.HOST_KEY_CHANGED
    assert keys.host_key not in file.read_text()


def test_a_new_key_of_a_server_that_does_not_let_us_in_leaves_no_trace(keys, tmp_path):
    file, stranger = tmp_path / "known_hosts", tmp_path / "stranger"
    make_key(stranger)
    changes = {"known_hosts": (str(file),), "host_key_policy": "accept-new", "identity": (str(stranger),)}
    assert open_to(keys, **changes).code == Code.AUTH_FAILED
    assert not file.exists()


@pytest.mark.parametrize("file", ["{}/authorized_keys", "{}", "/dev/null"])
def test_a_new_key_that_cannot_be_kept_is_refused(keys, tmp_path, file):
    failure = open_to(keys, known_hosts=(file.format(tmp_path),), host_key_policy="accept-new")
    assert failure.code == Code.HOST_KEY_UNKNOWN
    assert file.format(tmp_path) in str(failure)
    assert list(tmp_path.iterdir()) == []


class Person:
    """Answers the questions, and keeps them."""

    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    async def __call__(self, question):
        self.questions.append(question)
        return self.answers.pop(0) if self.answers else None


def fingerprint_of(key):
    return fingerprint(next(parse(f"x {key}", "f")).blob)


def ask_about(keys, tmp_path, person, **changes):
    file = tmp_path / "known_hosts"
    settings = {"known_hosts": (str(file),), "host_key_name": "gw"} | changes
    failure = open_to(keys, ask=person, **settings)
    return failure, file.read_text() if file.exists() else ""


@pytest.mark.parametrize("policy", [None, "ask"])
def test_a_person_is_asked_about_an_unknown_key(keys, tmp_path, policy):
    person = Person("yes")
    failure, written = ask_about(keys, tmp_path, person, host_key_policy=policy)
    assert (failure, written) == (None, f"gw {keys.host_key}\n")
    [question] = person.questions
    assert (question.kind, question.host, question.echo) == ("host-key", "gateway", True)
    assert "laptop dials 127.0.0.1:" in question.text
    assert "nothing is filed under gw" in question.text
    assert f"ssh-ed25519 {fingerprint_of(keys.host_key)}" in question.text
    assert ask_about(keys, tmp_path, Person(), host_key_policy=policy) == (None, written)


@pytest.mark.parametrize("answers", [("no",), ("NO",), ("",), (), ("maybe", "no"), ("SHA256:AAAA", "")])
def test_no_is_no(keys, tmp_path, answers):
    person = Person(*answers)
    failure, written = ask_about(keys, tmp_path, person)
    assert (failure.code, written) == (Code.HOST_KEY_UNKNOWN, "")
    assert [question.again for question in person.questions] == [False, True][: max(len(answers), 1)]
    assert "orchestra trust FILE gateway" in failure.suggestion


def test_the_fingerprint_is_an_answer_too(keys, tmp_path):
    failure, written = ask_about(keys, tmp_path, Person(f" {fingerprint_of(keys.host_key)} "))
    assert (failure, written) == (None, f"gw {keys.host_key}\n")


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
def test_nobody_is_asked_by_another_policy(keys, tmp_path, policy):
    person = Person("yes")
    ask_about(keys, tmp_path, person, host_key_policy=policy)
    assert person.questions == []


def test_nobody_is_asked_about_a_changed_key(keys, tmp_path):
    (tmp_path / "known_hosts").write_text(f"gw {make_key(tmp_path / 'other')}\n")
    person = Person("yes")
    failure, _ = ask_about(keys, tmp_path, person)
    assert (failure.code, person.questions) == (Code.HOST_KEY_CHANGED, [])
    assert f"ssh-keygen -f {tmp_path}/known_hosts -R gw" in failure.suggestion


def test_what_a_person_said_is_written_also_when_we_are_not_let_in(keys, tmp_path):
    make_key(tmp_path / "stranger")
    failure, written = ask_about(keys, tmp_path, Person("yes"), identity=(str(tmp_path / "stranger"),))
    assert (failure.code, written) == (Code.AUTH_FAILED, f"gw {keys.host_key}\n")


def test_a_yes_without_a_file_to_keep_it_holds_for_now(keys):
    notices = []
    config = ConfigSettings(user_known_hosts=(), global_known_hosts=())
    settings = {"known_hosts": (), "config_": config, "host_key_name": "gw"}
    assert open_to(keys, ask=Person("yes"), notice=notices.append, **settings) is None
    assert "not kept: UserKnownHostsFile is none" in notices[0]
    assert open_to(keys, **settings).code == Code.HOST_KEY_UNKNOWN
    assert open_to(keys, host_key_policy="accept-new", **settings).code == Code.HOST_KEY_UNKNOWN


def certify(keys, tmp_path, *options, principal="gw"):
    """(the lines of sshd's configuration, the line of known_hosts) of a certificate that an authority has signed."""
    authority = make_key(tmp_path / "ca")
    copy = tmp_path / "host.pub"
    shutil.copy(f"{keys.folder}/host_key.pub", copy)
    run("ssh-keygen", "-q", "-s", f"{tmp_path}/ca", "-I", "test", "-h", "-n", principal, *options, str(copy))
    return (f"HostCertificate {tmp_path}/host-cert.pub",), f"@cert-authority * {authority}"


@pytest.mark.parametrize(
    ("options", "principal", "said"),
    [
        (("-V", "20200101:20200102"), "gw", "its certificate expired at 2020-01-0"),
        (("-V", "20900101:20910101"), "gw", "its certificate is not valid before 20"),
        ((), "other,third", "its certificate is for other, third, not for gw"),
    ],
)
def test_a_certificate_that_does_not_hold(keys, tmp_path, options, principal, said):
    config, line = certify(keys, tmp_path, *options, principal=principal)
    failure = open_to(keys, config=config, known_hosts=known(tmp_path, line), host_key_name="gw")
    assert (failure.code, said in str(failure)) == (Code.HOST_CERTIFICATE_INVALID, True)
    lines = (line, f"gw {keys.host_key}")
    assert open_to(keys, config=config, known_hosts=known(tmp_path, *lines), host_key_name="gw") is None


@pytest.mark.parametrize(("until", "told"), [("+23h", 1), ("+25h", 0)])
def test_a_host_certificate_that_expires_within_a_day_is_told(keys, tmp_path, until, told):
    said = []
    config, line = certify(keys, tmp_path, "-V", f"-1h:{until}")
    settings = {"config": config, "known_hosts": known(tmp_path, line), "host_key_name": "gw"}
    assert open_to(keys, notice=said.append, **settings) is None
    assert [each.partition(" at ")[0] for each in said] == ["the host certificate of gateway expires"] * told


def test_a_certificate_of_another_authority(keys, tmp_path):
    config, _ = certify(keys, tmp_path)
    line = f"@cert-authority * {make_key(tmp_path / 'another')}"
    failure = open_to(keys, config=config, known_hosts=known(tmp_path, line), host_key_name="gw")
    assert (failure.code, "by an authority that is not known" in str(failure)) == (Code.HOST_KEY_UNKNOWN, True)


def test_a_certificate_of_a_revoked_authority(keys, tmp_path):
    config, line = certify(keys, tmp_path)
    lines = (line, line.replace("@cert-authority", "@revoked"))
    failure = open_to(keys, config=config, known_hosts=known(tmp_path, *lines), host_key_name="gw")
    assert (failure.code, "known_hosts:2" in str(failure)) == (Code.HOST_KEY_REVOKED, True)


def test_revoked_host_keys(keys, tmp_path):
    listed, krl = tmp_path / "revoked", tmp_path / "krl"
    listed.write_text(f"# taken\n{keys.host_key}\n")
    run("ssh-keygen", "-q", "-k", "-f", str(krl), f"{keys.folder}/host_key.pub")
    for file in (listed, krl):
        failure = open_to(keys, config_=ConfigSettings(revoked_host_keys=str(file)))
        assert (failure.code, str(file) in str(failure)) == (Code.HOST_KEY_REVOKED, True)
    listed.write_text(f"{make_key(tmp_path / 'other')}\n")
    assert open_to(keys, config_=ConfigSettings(revoked_host_keys=str(listed))) is None
    for unusable in ("none there", "broken"):
        (tmp_path / "broken").write_text("no key\n")
        failure = open_to(keys, config_=ConfigSettings(revoked_host_keys=str(tmp_path / unusable)))
        assert (failure.code, "cannot be used" in str(failure)) == (Code.HOST_KEY_REVOKED, True)


def test_known_hosts_command(keys, tmp_path):
    program = tmp_path / "keys"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/seen\ntest $2 = ORDER || echo "gw $3 $4"\n')
    program.chmod(0o700)
    command = (str(program), "%H", "%I", "%t", "%K")
    settings = {"known_hosts": known(tmp_path), "host_key_name": "gw"}
    failure = open_to(keys, config_=ConfigSettings(known_hosts_command=command), **settings)
    assert (failure.code, "--allow-exec" in failure.suggestion) == (Code.HOST_KEY_UNKNOWN, True)
    assert not (tmp_path / "seen").exists()
    config = ConfigSettings(known_hosts_command=command, allow_exec=True)
    assert open_to(keys, config_=config, host_key_policy="strict", **settings) is None
    assert (tmp_path / "seen").read_text() == f"gw ORDER NONE NONE\ngw HOSTNAME {keys.host_key}\n"
    failing = ConfigSettings(known_hosts_command=("/bin/false",), allow_exec=True)
    failure = open_to(keys, config_=failing)  # as in ssh, although the key is known
    assert (failure.code, "/bin/false ended with status 1" in str(failure)) == (Code.HOST_KEY_UNKNOWN, True)


def test_a_short_rsa_key_is_not_accepted(tmp_path):
    keys = Keys(tmp_path)
    for file in ("host_key", "host_key.pub"):
        (tmp_path / file).unlink()
    keys.host_key = make_key(tmp_path / "host_key", "rsa", "-b", "1024")
    failure = open_to(keys, config_=ConfigSettings(required_rsa_size=2048))
    assert "has 1024 bits, and 2048 are the least" in str(failure)


def test_looking_at_a_server_offers_nothing(keys, tmp_path):
    async def main():
        async with sshd(keys) as server:
            asked = request(server.settings(identity=("/no/such/file",), known_hosts=known(tmp_path)), Here("laptop"))
            seen = await SshTransport().identify(asked)
            assert (seen.standing, seen.refusal.code) == ("unknown", Code.HOST_KEY_UNKNOWN)
            assert (seen.name, seen.fingerprint) == (f"[127.0.0.1]:{server.port}", fingerprint_of(keys.host_key))
            file = await SshTransport().trust(asked, seen)
            assert file == f"{tmp_path}/known_hosts"
            again = await SshTransport().identify(asked)
            assert (again.standing, again.evidence) == ("known", (f"{file}:1",))
        with pytest.raises(OpenFailed) as failed:
            await SshTransport().identify(asked)
        assert failed.value.code == Code.CONNECT_REFUSED

    asyncio.run(main())


def test_a_wrong_key_says_what_was_offered(keys, tmp_path):
    make_key(tmp_path / "stranger")
    failure = open_to(keys, identity=(str(tmp_path / "stranger"),))
    assert failure.code == Code.AUTH_FAILED
    assert f"{tmp_path}/stranger (ssh-ed25519)" in str(failure)


def test_a_wrong_user_is_named(keys):
    failure = open_to(keys, user="nobody-there")
    assert failure.code == Code.AUTH_FAILED
    assert "nobody-there" in str(failure)


def test_a_key_that_others_may_read_is_refused(keys, tmp_path):
    make_key(tmp_path / "open")
    (tmp_path / "open").chmod(0o644)
    failure = open_to(keys, identity=(str(tmp_path / "open"),))
    assert failure.code == Code.AUTH_FAILED
    assert "0644" in str(failure)
    assert "chmod" in failure.suggestion


def test_a_missing_key_is_named(keys, tmp_path):
    failure = open_to(keys, identity=(str(tmp_path / "none"),))
    assert (failure.code, str(tmp_path / "none") in str(failure)) == (Code.AUTH_FAILED, True)


def test_an_encrypted_key_opens_with_its_passphrase(tmp_path):
    keys = Keys(tmp_path)
    (tmp_path / "user_key").unlink()
    public = make_key(tmp_path / "user_key", "ecdsa", "-m", "PEM")
    (tmp_path / "authorized_keys").write_text(f"{public}\n")
    run("ssh-keygen", "-q", "-p", "-P", "", "-N", "sesame", "-m", "PEM", "-f", f"{tmp_path}/user_key")

    async def read(ref):
        return ref.value

    secret = SecretRef(kind="test", value=b"sesame")
    assert open_to(keys, passphrase=secret, read_secret=read) is None
    wrong = open_to(keys, passphrase=SecretRef(kind="test", value=b"x"), read_secret=read)
    assert "passphrase is wrong" in str(wrong)
    none = open_to(keys, agent="none")
    assert (none.code, "encrypted" in str(none)) == (Code.AUTH_FAILED, True)


def test_a_private_key_may_be_a_secret(keys):
    async def read(ref):
        return ref.value

    secret = SecretRef(kind="test", value=(keys.folder / "user_key").read_bytes())
    assert open_to(keys, identity=(), private_key=secret, read_secret=read) is None


def test_nothing_is_offered_that_the_file_does_not_name(keys, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes((keys.folder / "user_key").read_bytes())
    (tmp_path / ".ssh" / "id_ed25519").chmod(0o600)
    assert open_to(keys, identity=()) is None  # nothing named: the default files, as ssh would
    secret = SecretRef(kind="test", value=b"wrong")

    async def read(ref):
        return ref.value

    failure = open_to(keys, identity=(), password=secret, read_secret=read)
    assert failure.code == Code.AUTH_FAILED
    assert "in: it does not ask for a password; offered: nothing" in str(failure)


def test_an_agent_signs(keys, tmp_path):
    agent = tmp_path / "agent"
    pid = run("ssh-agent", "-a", str(agent), "-s").split("SSH_AGENT_PID=")[1].split(";")[0]
    try:
        run("ssh-add", "-q", f"{keys.folder}/user_key", env={"SSH_AUTH_SOCK": str(agent)})
        assert open_to(keys, identity=(), agent=str(agent)) is None
    finally:
        os.kill(int(pid), signal.SIGTERM)
    failure = open_to(keys, identity=(), agent=str(tmp_path / "nobody"))
    assert (failure.code, "does not answer" in str(failure)) == (Code.AUTH_FAILED, True)


def test_forwarding_may_be_forbidden(keys):
    async def main():
        async with opened(keys, "AllowTcpForwarding no") as (_, session, here):
            listener = await here.create_server(Accepting(), "127.0.0.1", 0)
            with pytest.raises(DialRefused) as refused:
                await session.create_connection(Collector, "127.0.0.1", listener.port)
            listener.close()
            assert refused.value.code == Code.FORWARD_REFUSED
            assert "AllowTcpForwarding" in refused.value.suggestion
            with pytest.raises(Exception, match="refuses to listen") as bind:
                await session.create_server(Accepting(), "127.0.0.1", 0)
            assert bind.value.code == Code.FORWARD_REFUSED
            assert "AllowTcpForwarding" in bind.value.suggestion
            await session.ping()

    asyncio.run(main())


def test_what_the_server_changed_about_a_listener_is_told(keys):
    async def main():
        async with sshd(keys, "GatewayPorts yes") as server:
            here = Here("laptop")
            session = await SshTransport().open(request(server.settings(), here))
            listener = await session.create_server(Accepting(), "127.0.0.1", 0)
            assert "overridden by server GatewayPorts" in listener.widened
            session.abort()
            here.abort()
            await here.wait_closed()

    asyncio.run(main())


def test_a_banner_in_another_encoding_keeps_nobody_out(keys, tmp_path):
    banner = tmp_path / "banner"
    banner.write_bytes("café \x1b[2J".encode("latin-1"))

    async def main():
        notices = []
        async with sshd(keys, f"Banner {banner}") as server:
            here = Here("laptop")
            session = await SshTransport().open(request(server.settings(), here, notice=notices.append))
            assert notices == ["gateway says: caf\ufffd ·[2J"]
            session.abort()
            here.abort()
            await here.wait_closed()

    asyncio.run(main())


def test_permit_open_is_literal(keys):
    async def main():
        listening = Here("laptop")
        listener = await listening.create_server(Accepting(), "127.0.0.1", 0)
        async with opened(keys, f"PermitOpen localhost:{listener.port}") as (_, session, _here):
            stream, _ = await session.create_connection(Collector, "localhost", listener.port)
            stream.abort()
            with pytest.raises(DialRefused) as refused:
                await session.create_connection(Collector, "127.0.0.1", listener.port)
            assert (refused.value.code, "PermitOpen" in refused.value.suggestion) == (Code.FORWARD_REFUSED, True)
        listening.abort()

    asyncio.run(main())


def test_a_name_that_the_server_cannot_resolve(keys):
    async def main():
        async with opened(keys) as (_, session, _here):
            with pytest.raises(DialRefused) as refused:
                await session.create_connection(Collector, "nowhere.invalid", 80)
            assert refused.value.code == Code.NAME_UNRESOLVED
            assert "gateway" in str(refused.value)

    asyncio.run(main())


async def _only_guest(port):
    while True:
        guest = socket.create_connection(("127.0.0.1", port))
        if guest.recv(4) == b"SSH-":
            return guest
        guest.close()
        await asyncio.sleep(0.05)


def test_a_server_that_is_busy(keys):
    async def main():
        async with sshd(keys, "MaxStartups 1:100:1", "LoginGraceTime 30") as server:
            hog = await _only_guest(server.port)
            with pytest.raises(OpenFailed) as failed:
                await SshTransport().open(request(server.settings(), Here("laptop")))
            hog.close()
        assert failed.value.code == Code.SERVER_BUSY
        assert "MaxStartups" in failed.value.suggestion

    asyncio.run(main())


def test_nobody_listens(keys):
    async def main():
        async with sshd(keys) as server:
            settings = server.settings()
        with pytest.raises(OpenFailed) as failed:
            await SshTransport().open(request(settings, Here("laptop")))
        assert failed.value.code == Code.CONNECT_REFUSED
        assert f"127.0.0.1:{settings.port}" in str(failed.value)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (b"", Code.CONNECT_TIMEOUT),
        (b"HTTP/1.1 400 no\r\n\r\n", Code.CONNECT_TIMEOUT),
        (b"SSH-1.5-old\r\n", Code.PROTOCOL_ERROR),
    ],
)
def test_something_else_listens(keys, says, code):
    async def main():
        here = Here("laptop")
        accept = Accepting()
        listener = await here.create_server(accept, "127.0.0.1", 0)
        async with sshd(keys) as server:
            settings = server.settings(port=listener.port, connect_timeout=0.3)
        opening = asyncio.create_task(SshTransport().open(request(settings, here)))
        other = await accept.collectors.get()
        await asyncio.sleep(0)
        if says:
            await other.send(says)
        with pytest.raises(OpenFailed) as failed:
            await opening
        assert failed.value.code == code
        await other.ended.wait()
        here.abort()

    asyncio.run(main())


def test_cancelling_leaves_nothing(keys):
    async def main():
        here = Here("laptop")
        async with sshd(keys) as server:
            for delay in (0.0, 0.005, 0.02, 0.05):
                opening = asyncio.create_task(SshTransport().open(request(server.settings(), here)))
                await asyncio.sleep(delay)
                opening.cancel()
                (result,) = await asyncio.gather(opening, return_exceptions=True)
                if not isinstance(result, asyncio.CancelledError):
                    result.abort()
            here.close()
            async with asyncio.timeout(5):
                await here.wait_closed()
        for _ in range(100):
            if not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("tasks are left")

    asyncio.run(main())


# What ssh_config says of the connection itself.


def test_algorithms_of_ssh_config_are_negotiated(keys):
    wanted = ConfigSettings(ciphers="aes256-ctr", macs="^hmac-sha2-512", kex_algorithms="ecdh-sha2-nistp256")
    offered = ["Ciphers aes256-ctr,aes128-ctr", "MACs hmac-sha2-256,hmac-sha2-512", "KexAlgorithms ecdh-sha2-nistp256"]
    assert open_to(keys, config=offered, config_=wanted) is None
    assert open_to(keys, config=["Ciphers aes128-ctr"], config_=wanted).code == Code.PROTOCOL_ERROR


def test_the_address_to_dial_from(keys):
    only = ["AllowUsers *@127.0.0.9"]
    assert open_to(keys, config=only, config_=ConfigSettings(bind_address="127.0.0.9")) is None
    assert open_to(keys, config=only).code == Code.AUTH_FAILED
    failure = open_to(keys, config_=ConfigSettings(address_family="ipv6"))
    assert failure.code == Code.NAME_UNRESOLVED


def test_a_server_that_ssh_config_refuses_is_not_dialed(keys):
    why = Diagnostic(code=Code.SSH_CONFIG_REFUSED, severity="error", message="gateway: RefuseConnection: gone")
    failure = open_to(keys, config_=ConfigSettings(refusals=(why,)))
    assert (failure.code, str(failure)) == (Code.SSH_CONFIG_REFUSED, why.message)
