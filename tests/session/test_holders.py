"""Who holds a port."""

import asyncio
import os
import socket

import pytest

from orchestra.diagnostics import Code
from orchestra.session import BindRefused
from orchestra.session.here import Here
from orchestra.session.holders import holder_of
from orchestra.testing.conformance import Accepting


def test_a_port_that_nobody_holds_has_no_holder():
    assert holder_of(1) is None


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
