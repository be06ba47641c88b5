"""Opening a session by the system's ssh: real servers, and what is said when they do not let us in."""

import asyncio
import contextlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import asyncssh
import pytest
from orchestra_plugins.openssh.transport import OpenSshTransport

from orchestra.diagnostics import Code
from orchestra.model.plan import Dial
from orchestra.model.topology import SecretRef, SshSettings, TransportRef
from orchestra.session.errors import OpenFailed
from orchestra.session.here import Here
from orchestra.testing import Collector
from tests.engine.ssh.sshd import Keys, free_port, make_key, needs_sshd, request, sshd

from .arena import settings

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.other = make_key(made.folder / "other")
    return made


@pytest.fixture(autouse=True)
def _nothing_is_left(monkeypatch):
    with TemporaryDirectory(prefix="o-", dir="/tmp") as short:  # room for the path of a Unix socket
        monkeypatch.setenv("TMPDIR", short)
        monkeypatch.setattr("tempfile.tempdir", None)
        yield
        assert not list(Path(short).glob("orchestra-*"))


class Person:
    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    async def __call__(self, question):
        self.questions.append(question)
        return self.answers.pop(0)


async def attempted(wanted):
    """The session, or why there is none."""
    try:
        session = await OpenSshTransport().open(wanted)
    except OpenFailed as failed:
        return failed
    session.abort()
    await session.wait_closed()
    return session


def play(keys, work, *lines):
    async def scene():
        async with sshd(keys, *lines) as server:
            await work(server, Here("laptop"))

    asyncio.run(scene())


def test_who_is_not_let_in_is_told_what_was_offered(keys):
    async def work(server, here):
        failed = await attempted(request(settings(server, identity=(str(keys.folder / "other"),)), here))
        assert failed.code == Code.AUTH_FAILED
        assert f"{keys.folder}/other (SHA256:" in str(failed)
        assert "Permission denied (publickey)" in str(failed)

    play(keys, work)


def test_a_host_key_that_is_unknown_changed_or_vouched_for(keys, tmp_path):
    async def work(server, here):
        known = tmp_path / "known hosts"
        known.write_text("")
        unknown = settings(server, known_hosts=(str(known),))
        failed = await attempted(request(unknown, here))
        assert (failed.code, "nobody was there to answer" in str(failed)) == (Code.HOST_KEY_UNKNOWN, True)
        strict = settings(server, known_hosts=(str(known),), host_key_policy="strict")
        failed = await attempted(request(strict, here))
        assert (failed.code, "it shows ssh-ed25519 SHA256:" in str(failed)) == (Code.HOST_KEY_UNKNOWN, True)
        person = Person("no", "yes")
        assert (await attempted(request(unknown, here, ask=person))).code == Code.HOST_KEY_UNKNOWN
        assert (await attempted(request(unknown, here, ask=person))).state == "closed"
        assert [question.kind for question in person.questions] == ["host-key", "host-key"]
        assert known.read_text().startswith(f"[127.0.0.1]:{server.port} ssh-ed25519 ")
        known.write_text(f"[127.0.0.1]:{server.port} {keys.other}\n")
        failed = await attempted(request(unknown, here, ask=Person()))
        assert (failed.code, f"{known}:1" in str(failed)) == (Code.HOST_KEY_CHANGED, True)

    play(keys, work)


def test_a_pinned_key_is_believed_and_no_other(keys):
    async def work(server, here):
        right = settings(server, known_hosts=(), host_key=(keys.host_key,))
        assert (await attempted(request(right, here))).state == "closed"
        failed = await attempted(request(settings(server, known_hosts=(), host_key=(keys.other,)), here))
        assert failed.code == Code.HOST_KEY_CHANGED
        assert "correct host_key in the topology" in failed.suggestion

    play(keys, work)


def test_an_encrypted_key_by_a_person_and_by_a_secret(keys, tmp_path):
    locked = tmp_path / "locked"
    shutil.copy(keys.folder / "user_key", locked)
    lock = ["ssh-keygen", "-q", "-p", "-a", "1", "-P", "", "-N", "open sesame", "-f", str(locked)]
    subprocess.run(lock, check=True, stdout=subprocess.DEVNULL)

    async def read(ref):
        return b"open sesame"

    async def work(server, here):
        person = Person("wrong", "open sesame")
        wanted = settings(server, identity=(str(locked),))
        assert (await attempted(request(wanted, here, ask=person))).state == "closed"
        assert [(q.kind, q.subject, q.again) for q in person.questions] == [
            ("passphrase", str(locked), False),
            ("passphrase", str(locked), True),
        ]
        secret = settings(server, identity=(str(locked),), passphrase=SecretRef(kind="env", value="X"))
        assert (await attempted(request(secret, here, read_secret=read))).state == "closed"

    play(keys, work)


class Passwords(asyncssh.SSHServer):
    """Lets in who knows the word."""

    tried: ClassVar[list[str]] = []
    gone: ClassVar[asyncio.Event] = asyncio.Event()

    def connection_lost(self, _exc):
        self.gone.set()

    def password_auth_supported(self):
        return True

    def validate_password(self, _username, password):
        self.tried.append(password)
        return password == "secret"


def test_a_password_is_a_secret_that_is_sent_once(keys, tmp_path):
    async def scene(word):
        Passwords.tried.clear()
        Passwords.gone.clear()
        port = free_port()
        acceptor = await asyncssh.listen(
            "127.0.0.1", port, server_factory=Passwords, server_host_keys=[str(keys.folder / "host_key")]
        )
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{port} {keys.host_key}\n")

        class server:  # noqa: N801 - what settings wants
            @staticmethod
            def settings(**changes):
                return SshSettings(host="127.0.0.1", port=port, user="ci", known_hosts=(str(known),), **changes)

        async def read(_ref):
            return word

        wanted = settings(server, password=SecretRef(kind="env", value="X"))
        result = await attempted(request(wanted, Here("laptop"), read_secret=read))
        await Passwords.gone.wait()
        acceptor.close()
        await acceptor.wait_closed()
        return result

    assert asyncio.run(scene(b"secret")).state == "closed"
    failed = asyncio.run(scene(b"wrong"))
    assert (failed.code, Passwords.tried) == (Code.AUTH_FAILED, ["wrong"])
    assert "wrong" not in str(failed)


def test_servers_that_are_not_there_or_say_nothing(keys):
    async def work(server, here):
        async def silent(reader, writer):
            await reader.read()
            await hangs_up(reader, writer)

        async def hangs_up(_reader, writer):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        reached = settings(server, connect_timeout=0.5)
        for serve, code in ((None, Code.CONNECT_REFUSED), (silent, Code.CONNECT_TIMEOUT), (hangs_up, Code.SERVER_BUSY)):
            port = free_port()
            listening = await asyncio.start_server(serve, "127.0.0.1", port) if serve else None
            dial = Dial(by="laptop", host="127.0.0.1", port=port, means="gateway")
            failed = await attempted(request(reached, here, dial=dial))
            assert (failed.code, str(port) in str(failed)) == (code, True), failed
            if listening:
                listening.close()
                await listening.wait_closed()
        nowhere = Dial(by="laptop", host="gw.invalid", port=22, means="gateway")
        assert (await attempted(request(reached, here, dial=nowhere))).code == Code.NAME_UNRESOLVED

    play(keys, work)


def test_an_opening_that_is_cancelled_leaves_nothing(keys):
    async def work(server, here):
        before = asyncio.all_tasks()
        for delay in (0.0, 0.01, 0.03, 0.06, 0.1, 0.15):
            opening = asyncio.create_task(OpenSshTransport().open(request(settings(server), here)))
            await asyncio.sleep(delay)
            opening.cancel()
            (result,) = await asyncio.gather(opening, return_exceptions=True)
            if not isinstance(result, asyncio.CancelledError):
                result.abort()
                await result.wait_closed()
        assert asyncio.all_tasks() == before

    play(keys, work)


def test_what_ssh_config_says_holds_and_its_proxy_is_ssh_own(keys, tmp_path, monkeypatch):
    config = tmp_path / "ssh" / "config"
    config.parent.mkdir()
    monkeypatch.setattr("orchestra_plugins.openssh.arguments._HOME", str(config.parent))
    notices = []

    async def work(server, here):
        config.write_text(f"Host gw\n HostName 127.0.0.1\n Port {server.port}\n ProxyCommand nc %h %p\n")
        changes = {"host": "gw", "port": None, "ssh_config": str(config), "host_key_name": f"[127.0.0.1]:{server.port}"}
        dial = Dial(by="laptop", host="gw", port=22, means="gateway")
        wanted = request(settings(server, **changes), here, dial=dial, notice=notices.append)
        assert (await attempted(wanted)).state == "closed"
        assert notices == ["gateway: ssh goes through nc %h %p"]
        config.write_text(f"Host gw\n HostName 127.0.0.1\n Port {server.port}\n StrictHostKeyChecking no\n")
        other = tmp_path / "known"
        other.write_text(f"[127.0.0.1]:{server.port} {keys.other}\n")
        changed = settings(server, **changes, known_hosts=(str(other),))
        assert (await attempted(request(changed, here, dial=dial))).code == Code.HOST_KEY_CHANGED

    play(keys, work)


def test_keywords_of_the_topology_reach_ssh(keys):
    async def work(server, here):
        wanted = request(settings(server), here)
        host = wanted.server
        ref = TransportRef(type="openssh", options={"options": {"KexAlgorithms": "nonsense"}})
        wanted = replace(wanted, server=replace(host, server=replace(host.server, transport=ref)))
        failed = await attempted(wanted)
        assert failed.code == Code.SSH_CONFIG_INVALID
        assert "nonsense" in str(failed)

    play(keys, work)


def test_a_temporary_directory_that_is_too_long_or_gone(keys, tmp_path, monkeypatch):
    async def work(server, here):
        for folder, said in (("/nonexistent", "no private directory"), (str(long), "gateway")):
            monkeypatch.setattr("tempfile.tempdir", folder)
            failed = await attempted(request(settings(server), here))
            assert said in str(failed)
            assert "TMPDIR" in (failed.suggestion or "")

    long = tmp_path / ("x" * 100)
    long.mkdir()
    play(keys, work)


def test_a_unix_socket_leads_to_a_server_too(keys, tmp_path):
    async def work(server, here):
        path, done = str(tmp_path / "sshd"), asyncio.Event()

        async def pass_on(reader, writer):
            there, back = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.gather(carry(reader, back), carry(there, writer))
            done.set()

        async def carry(source, sink):
            while data := await source.read(65536):
                sink.write(data)
            sink.close()
            await sink.wait_closed()

        listening = await asyncio.start_unix_server(pass_on, path)
        dial = Dial(by="laptop", path=path, means="gateway")
        wanted = settings(server, host_key=(keys.host_key,), known_hosts=())
        session = await OpenSshTransport().open(request(wanted, here, dial=dial))
        process, output = await session.create_process(Collector, "echo there")
        await output.ended.wait()
        assert (bytes(output.data), process.exit_status) == (b"there\n", 0)
        session.close()
        assert await session.wait_closed() is None
        await done.wait()
        listening.close()

    play(keys, work)
