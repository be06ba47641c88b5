"""Who holds a port."""

import asyncio
import os
import socket

import pytest

from orchestra.diagnostics import Code
from orchestra.session import BindRefused
from orchestra.session.here import Here
from orchestra.session.holders import holder_of
from orchestra.testing.collect import Accepting


def test_a_port_that_nobody_holds_has_no_holder():
    assert holder_of(1) is None


def test_the_holder_of_a_unix_socket_is_named(tmp_path):
    async def main():
        here = Here("laptop")
        with socket.socket(socket.AF_UNIX) as holder:
            holder.bind(str(tmp_path / "s"))
            holder.listen(0)
            with pytest.raises(BindRefused, match=rf"held by .*\(pid {os.getpid()}\)") as refused:
                await here.create_unix_server(Accepting(), str(tmp_path / "s"))
            assert refused.value.code == Code.LISTEN_IN_USE
            with pytest.raises(BindRefused, match="held by another program"):  # its backlog is full, and it lives
                await here.create_unix_server(Accepting(), str(tmp_path / "s"))

    asyncio.run(main())


def test_a_local_holder_of_the_port_is_named():
    async def main():
        here = Here("laptop")
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            with pytest.raises(BindRefused) as refused:
                await here.create_server(Accepting(), "127.0.0.1", port)
        assert refused.value.code == Code.LISTEN_IN_USE
        assert f"(pid {os.getpid()})" in str(refused.value)
        assert f"127.0.0.1:{port}" in str(refused.value)

    asyncio.run(main())
