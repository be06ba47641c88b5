"""Sockets that this machine listens on: addresses, Unix sockets, and a lack of descriptors."""

import asyncio
import os
import resource
import socket
import stat
from contextlib import asynccontextmanager, suppress

import pytest

from orchestra.diagnostics import Code
from orchestra.session import BindRefused
from orchestra.session.here import Here
from orchestra.testing.collect import Accepting, Collector


@asynccontextmanager
async def _here():
    here = Here("laptop")
    yield here
    here.abort()
    await here.wait_closed()


def test_every_address_is_one_port_in_each_family():
    async def main():
        async with _here() as here:
            listener = await here.create_server(Accepting(echo=True), "*", 0)
            for host in ("127.0.0.1", "::1") if _has_ipv6_loopback() else ("127.0.0.1",):
                _, dialed = await here.create_connection(Collector, host, listener.port)
                await dialed.send(b"x")
                assert await dialed.receive(1) == b"x"

    asyncio.run(main())


def test_a_closed_listener_still_tells_its_port():
    async def main():
        async with _here() as here:
            listener = await here.create_server(Accepting(), "127.0.0.1", 0)
            port = listener.port
            listener.close()
            await listener.wait_closed()
            assert listener.port == port > 0

    asyncio.run(main())


def _has_ipv6_loopback():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_an_address_that_this_machine_lacks():
    async def main():
        async with _here() as here:
            with pytest.raises(BindRefused) as refused:
                await here.create_server(Accepting(), "192.0.2.1", 0)
            assert refused.value.code == Code.LISTEN_FAILED

    asyncio.run(main())


def test_accepting_pauses_without_descriptors_which_is_said_once_and_recovers(monkeypatch, caplog):
    monkeypatch.setattr("orchestra.session.listening.RECOVERY", 0.05)

    async def main():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with _here() as here:
            accept = Accepting()
            listener = await here.create_server(accept, "127.0.0.1", 0)
            client = socket.socket()
            hoard = []
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
            try:
                with suppress(OSError):
                    while True:
                        hoard.append(os.open("/dev/null", os.O_RDONLY))
                client.connect(("127.0.0.1", listener.port))
                await asyncio.sleep(0.2)  # several times over
                assert accept.collectors.empty()
                said = f"who connects to port {listener.port} has to wait: too many open files (ulimit -n)"
                assert [record.getMessage() for record in caplog.records] == [said]
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                for descriptor in hoard:
                    os.close(descriptor)
            async with asyncio.timeout(5):
                await accept.collectors.get()
            client.close()

    asyncio.run(main())


def test_a_unix_socket_is_private_and_goes_with_its_listener(tmp_path):
    async def main():
        path = tmp_path / "made" / "s"
        async with _here() as here:
            listener = await here.create_unix_server(Accepting(), str(path))
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert listener.port == 0
            listener.close()
            assert not path.exists()

    asyncio.run(main())


def test_a_live_unix_socket_is_never_taken_and_a_stale_one_replaced(tmp_path):
    async def main():
        path = tmp_path / "s"
        async with _here() as here:
            listener = await here.create_unix_server(Accepting(), str(path))
            with pytest.raises(BindRefused) as refused:
                await here.create_unix_server(Accepting(), str(path))
            assert refused.value.code == Code.LISTEN_IN_USE
            listener.close()
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(str(path))
            assert path.exists()
            (await here.create_unix_server(Accepting(), str(path))).close()
            path.write_text("a file")
            with pytest.raises(BindRefused):
                await here.create_unix_server(Accepting(), str(path))
            assert path.read_text() == "a file"

    asyncio.run(main())


def test_a_listener_leaves_the_socket_of_its_successor_alone(tmp_path):
    async def main():
        path = tmp_path / "s"
        async with _here() as here:
            first = await here.create_unix_server(Accepting(), str(path))
            path.unlink()
            second = await here.create_unix_server(Accepting(), str(path))
            first.close()
            assert path.exists()
            second.close()

    asyncio.run(main())
