"""The shell over sessions in memory, in virtual time."""

from __future__ import annotations

from orchestra.testing import Collector, run_virtual
from tests.engine.plans import chain, plan, tunnel
from tests.engine.rig import Rig, on_rig

TWO_HOPS = plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway"))


def test_a_tunnel_over_two_hops_carries_both_ways() -> None:
    async def test(rig: Rig) -> None:
        status = await rig.until_state("ready")
        assert status.proven
        assert status.listen == ("127.0.0.1:5920",)
        stream, client = await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        stream.write(b"hello")
        assert await client.receive(5) == b"hello"
        assert rig.tunnel().connections == 1
        stream.write_eof()
        await client.eof.wait()
        assert (rig.tunnel().bytes_in, rig.tunnel().bytes_out) == (5, 5)
        stream.close()
        await client.ended.wait()

    run_virtual(on_rig(TWO_HOPS, test)())
