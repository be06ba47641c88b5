"""Standard input and output as one stream: over pipes, files and what cannot be written."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestra.session.standard import StandardStreams
from orchestra.testing import Collector


def joined(source: int, sink: int, meanwhile: Callable[[Collector], Awaitable[None]] | None = None) -> Collector:
    """Joins them to an echo; who received, when it is over."""

    async def main() -> Collector:
        collector = Collector(echo=True)
        async with asyncio.timeout(20):
            done = asyncio.create_task(StandardStreams(source, sink).join(collector))
            if meanwhile is not None:
                await meanwhile(collector)
            assert await done
            collector.calls.append("joined")
        return collector

    return asyncio.run(main())


def test_what_is_read_is_received_and_what_is_sent_is_written(tmp_path: Path) -> None:
    data = os.urandom(1 << 20)
    (tmp_path / "in").write_bytes(data)
    out = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    source = os.open(tmp_path / "in", os.O_RDONLY)

    async def finish(collector: Collector) -> None:
        await collector.eof.wait()
        assert collector.stream is not None
        collector.stream.close()

    collector = joined(source, out, finish)
    assert bytes(collector.data) == data
    assert (tmp_path / "out").read_bytes() == data
    os.close(source)


def test_the_reader_sees_the_end_while_the_writer_goes_on() -> None:
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()

    async def halves(collector: Collector) -> None:
        while collector.stream is None:  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0)
        collector.stream.write(b"last words")
        collector.stream.write_eof()
        assert await asyncio.to_thread(os.read, from_sink, 100) == b"last words"
        assert await asyncio.to_thread(os.read, from_sink, 100) == b""
        os.write(to_source, b"more")
        assert await collector.receive(4) == b"more"
        os.close(to_source)
        await collector.eof.wait()
        collector.stream.close()

    collector = joined(source, sink, halves)
    assert collector.calls == ["made", "eof", "lost", "joined"]
    for end in (source, from_sink):
        os.close(end)


def test_nobody_reads_though_nothing_is_written() -> None:
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()
    os.close(from_sink)
    collector = Collector()

    async def main() -> None:
        async with asyncio.timeout(20):
            await StandardStreams(source, sink).join(collector)

    with pytest.raises(BrokenPipeError):
        asyncio.run(main())
    assert collector.calls[-1] == "lost"
    os.close(to_source)


def test_a_full_disk_is_said() -> None:
    source, to_source = os.pipe()
    os.write(to_source, b"data")

    async def main() -> None:
        async with asyncio.timeout(20):
            await StandardStreams(source, os.open("/dev/full", os.O_WRONLY)).join(Collector(echo=True))

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(main())
    os.close(to_source)


def test_a_stream_that_was_aborted_did_not_end() -> None:
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()

    class Aborting(Collector):
        def data_received(self, _data: bytes, /) -> None:
            assert self.stream is not None
            self.stream.abort()

    os.write(to_source, b"data")

    async def main() -> bool:
        async with asyncio.timeout(20):
            return await StandardStreams(source, sink).join(Aborting())

    assert asyncio.run(main()) is False
    assert os.read(from_sink, 1) == b""
    for end in (to_source, from_sink):
        os.close(end)


def test_what_was_taken_nobody_else_reads_or_writes() -> None:
    program = (
        "import os, subprocess, sys\n"
        "from orchestra.session.standard import take\n"
        "source, sink = take(0), take(1)\n"
        "print('a stray print', flush=True)\n"
        "subprocess.run(['sh', '-c', 'cat; echo a child'])\n"
        "os.write(sink, os.read(source, 100))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=b"data", capture_output=True, timeout=20, check=True)
    assert done.stdout == b"data"
