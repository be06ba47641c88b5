"""The lab of namespaces as a whole: what passes, what does not, and who answers."""

import asyncio

import asyncssh
import pytest

from orchestra.errors import UsageError
from orchestra.lab.netns.place import Place
from tests.lab.netns.labs import OFFICE, Recorder, ask, lab_of, needs_namespaces

pytestmark = needs_namespaces
SSH = "SSH-2.0"


def test_only_what_the_firewall_allows_passes_and_is_counted(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            assert await lab.counters() == ()
            assert await ask(lab.here, "10.20.0.30", 5900) == "DIAL_FAILED"
            assert await ask(lab.here, "10.20.0.3", 2022) == "DIAL_FAILED"
            assert (await ask(lab.here, "10.20.0.2", 22)).startswith(SSH)
            assert await ask(lab.place("gateway"), "10.20.0.30", 5900) == "desk on desk"
            assert (await ask(lab.place("gateway"), "10.20.0.3", 2022)).startswith(SSH)
            return [(c.firewall, c.protocol, c.port, c.packets) for c in await lab.counters()]

    assert asyncio.run(run()) == [("edge", "tcp", 22, 1)]


def test_a_firewall_denies_in_silence_by_default(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE, denial="drop") as lab, asyncio.timeout(0.5):
            await lab.here.create_connection(Recorder, "10.20.0.30", 5900)

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_the_lab_s_keys_open_a_session_that_forwards(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            settings = lab.topology.hosts["gateway"].server.ssh
            known = asyncssh.import_known_hosts(f"10.20.0.2 {settings.host_key[0]}\n")
            async with asyncssh.connect(
                "10.20.0.2", sock=await lab.dial("laptop", "10.20.0.2", 22), known_hosts=known, config=None,
                username=settings.user, client_keys=list(settings.identity), agent_path=None,
            ) as session:  # fmt: skip
                reader, writer = await session.open_connection("10.20.0.30", 5900)
                writer.write(b"hello\n")
                said = await reader.readline()
                writer.close()
                return said, (await session.run("echo $SSH_CONNECTION")).stdout.split()[2:]

    assert asyncio.run(run()) == (b"desk on desk\n", ["10.20.0.2", "22"])


def test_servers_and_targets_end_and_come_back(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            near = lab.place("gateway")
            stream, recorder = await lab.here.create_connection(Recorder, "10.20.0.2", 22)
            await lab.stop_server("gateway")
            while not stream.is_closing():
                await recorder.changed.wait()
                recorder.changed.clear()
            await lab.stop_target("desk")
            stopped = [await ask(near, "10.20.0.2", 22), await ask(near, "10.20.0.30", 5900)]
            await lab.start_server("gateway")
            await lab.start_target("desk")
            return [*stopped, (await ask(near, "10.20.0.2", 22))[:7], await ask(near, "10.20.0.30", 5900)]

    assert asyncio.run(run()) == ["CONNECT_REFUSED", "CONNECT_REFUSED", SSH, "desk on desk"]


def test_a_guest_dials_what_a_host_listens_on(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            peers = []

            async def accept(peer):
                peers.append(peer.host)
                return Recorder()

            listener = await lab.place("gateway").create_server(accept, "10.20.0.2", 0)
            port = listener.port
            assert await ask(lab.guest("office"), "10.20.0.2", port) == ""
            listener.close()
            guest = lab.layout.machines["someone on office"]
            return peers == [str(guest.addresses[0])], await ask(lab.guest("office"), "10.20.0.2", port)

    assert asyncio.run(run()) == (True, "CONNECT_REFUSED")


def test_a_wildcard_listens_in_both_families_on_one_port(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            place = lab.place("gateway")
            assert isinstance(place, Place)

            async def accept(peer):
                return Recorder()

            listener = await place.create_server(accept, "*", 0)
            for loopback in ("127.0.0.1", "::1", "localhost"):
                stream, _ = await place.create_connection(Recorder, loopback, listener.port)
                stream.abort()
            return listener.port

    assert asyncio.run(run()) > 0


def test_nobody_of_that_name(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            for wrong in (lambda: lab.place("nobody"), lambda: lab.guest("nowhere")):
                with pytest.raises(UsageError, match="the lab has no"):
                    wrong()
            with pytest.raises(UsageError, match="'nobody'"):
                await lab.stop_server("nobody")

    asyncio.run(run())


def test_the_shortest_file_works_by_its_names(tmp_path):
    text = """
        servers: {bastion: ci@bastion.example.com}
        targets: {db: "db.internal:5432"}
    """

    async def run():
        async with lab_of(tmp_path, text, client="localhost") as lab:
            assert (await ask(lab.here, "bastion.example.com", 22)).startswith(SSH)
            assert await ask(lab.place("bastion"), "DB.internal", 5432) == "db on db"
            return await ask(lab.here, "db.internal", 5432)

    assert asyncio.run(run()) == "NAME_UNRESOLVED"


def test_literals_and_machines_behind_others(tmp_path):
    text = """
        servers:
          outer: ops@203.0.113.9
          inner: {ssh: {host: inner.lan}, behind: outer}
        targets:
          db: {address: "10.9.8.7:5432", behind: inner}
          own: {host: inner, address: "127.0.0.1:8080"}
    """

    async def run():
        async with lab_of(tmp_path, text, client="localhost") as lab:
            assert (await ask(lab.here, "203.0.113.9", 22)).startswith(SSH)
            assert (await ask(lab.place("outer"), "inner.lan", 22)).startswith(SSH)
            assert await ask(lab.place("inner"), "10.9.8.7", 5432) == "db on db"
            assert await ask(lab.place("inner"), "localhost", 8080) == "own on inner"
            return [await ask(lab.place("outer"), "10.9.8.7", 5432), await ask(lab.here, "inner.lan", 22)]

    assert asyncio.run(run()) == ["DIAL_FAILED", "NAME_UNRESOLVED"]


def test_a_loopback_text_is_the_server_that_dials_it(tmp_path):
    text = """
        servers: {bastion: ci@bastion.example.com}
        targets: {db: "127.0.0.1:5432"}
    """

    async def run():
        async with lab_of(tmp_path, text, client="localhost") as lab:
            return await ask(lab.place("bastion"), "127.0.0.1", 5432), await ask(lab.here, "127.0.0.1", 5432)

    assert asyncio.run(run()) == ("db on db", "CONNECT_REFUSED")


def test_programs_on_a_server_see_its_own_names(tmp_path):
    async def run():
        text = OFFICE.replace("{networks: {office: 10.20.0.30}", "{names: [desk.lan], networks: {office: 10.20.0.30}")
        async with lab_of(tmp_path, text) as lab:
            settings = lab.topology.hosts["gateway"].server.ssh
            async with asyncssh.connect(
                "gateway", sock=await lab.dial("laptop", "10.20.0.2", 22), known_hosts=None, config=None,
                username=settings.user, client_keys=list(settings.identity), agent_path=None,
            ) as session:  # fmt: skip
                _, writer = await session.open_connection("desk.lan", 5900)
                writer.close()
                return (await session.run("getent hosts desk.lan")).stdout.split()

    assert asyncio.run(run()) == ["10.20.0.30", "desk.lan"]
