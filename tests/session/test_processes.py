"""Commands on this machine."""

import asyncio

from orchestra.session.here import Here
from orchestra.session.processes import STDERR_KEPT
from orchestra.testing import Collector


def test_closing_ends_the_command_and_its_children():
    async def main():
        process, output = await Here("laptop").create_process(Collector, "sleep 60 & sleep 60; echo no")
        process.close()
        async with asyncio.timeout(5):
            await output.ended.wait()
        assert process.exit_status == -15
        assert not output.data

    asyncio.run(main())


def test_standard_error_is_kept_bounded():
    async def main():
        process, output = await Here("laptop").create_process(Collector, "head -c 200000 /dev/zero >&2; echo last >&2")
        await output.ended.wait()
        assert len(process.stderr_tail()) == STDERR_KEPT
        assert process.stderr_tail().endswith(b"last\n")

    asyncio.run(main())
