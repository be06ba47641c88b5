"""Nothing is heard, and the end of the peer is the end."""

from orchestra.session.null import NullReceiver
from orchestra.testing import Collector, MemoryNetwork, run_virtual


def test_it_hangs_up_with_its_peer():
    async def main():
        network, peer = MemoryNetwork(), Collector()
        here, server = network.place("laptop"), network.place("server")

        async def accept(_peer):
            return peer

        await server.create_server(accept, "*", 80)
        stream, _ = await here.create_connection(NullReceiver, "server", 80)
        await peer.send(bytes(1 << 20))
        assert not stream.is_closing()
        peer.stream.write_eof()
        await peer.eof.wait()
        assert stream.is_closing()

    run_virtual(main())
