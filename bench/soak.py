"""Mixed traffic through three hops while faults arrive at random: what was said to be complete is checked.

    python -m bench.soak [--minutes 10] [--seed 1] [--clients 4]

Three real sshd in network namespaces (root, nftables and OpenSSH are needed), the engine in this process. Clients
download and upload in bulk, come and go, keep idle connections, close one direction before the other, and read slowly.
Meanwhile servers are killed, restarted and frozen, links dropped, connections reset and bits spoilt, in an order that
the seed gives. A stream that ended in an end of file has to be whole, by length and by hash; one that did not has to
have ended in an error, and what came of it to be true. The exit code is 0 when nothing was truncated, spoilt or left.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import os
import random
import resource
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as made_of
from pathlib import Path

from orchestra.lab.stub import payload
from orchestra.model.events import SessionChanged
from tests.faults.field import Field, becomes, field
from tests.faults.leaks import play

MIB = 1 << 20
STUCK = 60.0
"""Seconds without a byte after which a stream counts as one that hangs."""
THREE_HOPS = """\
networks: {internet: 198.51.100.0/24, dmz: 203.0.113.0/28, office: 10.20.0.0/24, workshop: 10.30.0.0/24}
clients: {laptop: {networks: {internet: 198.51.100.1}}}
servers:
  gateway: {networks: {internet: 198.51.100.2, dmz: 203.0.113.2}, ssh: {keepalive: 1s, connect_timeout: 3s}}
  middle: {networks: {dmz: 203.0.113.3, office: 10.20.0.2}, ssh: {keepalive: 1500ms, connect_timeout: 3s}}
  inner: {networks: {office: 10.20.0.3, workshop: 10.30.0.3}, ssh: {keepalive: 2s, connect_timeout: 3s}}
targets: {desk: {networks: {workshop: 10.30.0.30}, address: "10.30.0.30:8080"}}
tunnels: {desk: {listen: auto}}
"""
HOPS = ("gateway", "middle", "inner")


class Wrong(Exception):
    """What was said to be complete is not what was sent."""


@dataclass
class Tally:
    """What came of it all."""

    complete: Counter[str] = made_of(default_factory=Counter)
    broken: Counter[str] = made_of(default_factory=Counter)
    wrong: list[str] = made_of(default_factory=list)
    hanging: Counter[str] = made_of(default_factory=Counter)
    bytes: int = 0
    faults: Counter[str] = made_of(default_factory=Counter)
    lost: int = 0
    """Faults by which a session was lost."""
    recoveries: list[float] = made_of(default_factory=list)
    """Seconds from the end of a cause to the next exchange."""


class Traffic:
    """Clients of one tunnel. Each kind is a coroutine that makes one connection; it raises OSError when that broke."""

    def __init__(self, up: Field, tally: Tally, rng: random.Random) -> None:
        self._up, self._tally, self._rng = up, tally, rng
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "download": self.download,
            "upload": self.upload,
            "short": self.short,
            "half-close": self.half_close,
            "idle": self.idle,
            "slow reader": self.slow_reader,
        }

    async def go_on(self, kind: str, until: float) -> None:
        """One after the other, until then."""
        while time.monotonic() < until:
            try:
                await self.kinds[kind]()
                self._tally.complete[kind] += 1
            except OSError:
                self._tally.broken[kind] += 1
                await asyncio.sleep(0.1)
            except TimeoutError:
                self._tally.hanging[kind] += 1
            except Wrong as wrong:
                self._tally.wrong.append(f"{kind}: {wrong}")

    async def download(self) -> None:
        await self._get(self._rng.randint(1, 24 * MIB))

    async def slow_reader(self) -> None:
        await self._get(self._rng.randint(1, 2 * MIB), piece=32 * 1024, pause=0.02)

    async def upload(self) -> None:
        size = self._rng.randint(1, 16 * MIB)
        seen = hashlib.sha256()
        reader, writer = await self._open()
        try:
            writer.write(f"PUT /x HTTP/1.0\r\nContent-Length: {size}\r\n\r\n".encode())
            for chunk in payload(size):
                seen.update(chunk)
                writer.write(chunk)
                async with asyncio.timeout(STUCK):
                    await writer.drain()
            async with asyncio.timeout(STUCK):
                answer = (await reader.read(-1)).partition(b"\r\n\r\n")[2]
        finally:
            writer.transport.abort()
        self._check(answer == f"{seen.hexdigest()} {size}\n".encode(), f"{size} bytes arrived as {answer!r}")
        self._tally.bytes += size

    async def short(self) -> None:
        await self.echo(64)
        await asyncio.sleep(self._rng.uniform(0, 0.1))

    async def half_close(self) -> None:
        await self.echo(self._rng.randint(1, MIB))

    async def idle(self) -> None:
        reader, writer = await self._open()
        try:
            for word in (b"desk on desk\nfirst", b"second"):
                writer.write(word.rpartition(b"\n")[2])
                async with asyncio.timeout(STUCK):
                    got = await reader.readexactly(len(word))
                self._check(got == word, f"{got!r} for {word!r}")
                await asyncio.sleep(self._rng.uniform(1, 8))
        except asyncio.IncompleteReadError as ended:
            raise Wrong(f"an end of file after {ended.partial!r}") from None
        finally:
            writer.transport.abort()

    async def echo(self, size: int) -> None:
        """Says something, closes its direction, and reads the answer to its end."""
        data = self._rng.randbytes(size)
        reader, writer = await self._open()

        async def say() -> None:
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        saying = asyncio.create_task(say())
        try:
            async with asyncio.timeout(STUCK):
                got = await reader.read(-1)
                await saying
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
            writer.transport.abort()
        self._check(got == b"desk on desk\n" + data, f"{len(got)} bytes came back of {size}")
        self._tally.bytes += size

    async def _get(self, size: int, piece: int = MIB, pause: float = 0.0) -> None:
        expected, seen, length = hashlib.sha256(), hashlib.sha256(), 0
        for chunk in payload(size):
            expected.update(chunk)
        reader, writer = await self._open()
        try:
            writer.write(f"GET /bytes/{size} HTTP/1.0\r\n\r\n".encode())
            async with asyncio.timeout(STUCK):
                await reader.readuntil(b"\r\n\r\n")
            while True:
                async with asyncio.timeout(STUCK):
                    chunk = await reader.read(piece)
                if not chunk:
                    break
                seen.update(chunk)
                length += len(chunk)
                await asyncio.sleep(pause)
        except asyncio.IncompleteReadError:
            raise Wrong("an end of file before the answer") from None
        finally:
            writer.transport.abort()
        self._check(length == size, f"an end of file after {length} of {size} bytes")
        self._check(seen.digest() == expected.digest(), f"{size} bytes that are not those")
        self._tally.bytes += size

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._up.entrance("desk"))

    def _check(self, true: bool, what: str) -> None:
        if not true:
            raise Wrong(what)


class Faults:
    """Breaks something, holds it broken for a while, mends it."""

    def __init__(self, up: Field, rng: random.Random) -> None:
        self._up, self._rng = up, rng
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "server killed and started": self.kill,
            "server frozen": self.freeze,
            "sessions killed": self.end_sessions,
            "configuration read anew": self.hang_up,
            "link dropped": self.drop,
            "connection reset": self.reset,
            "bit spoilt": self.spoil,
        }

    async def kill(self) -> None:
        hop = self._hop()
        await self._up.lab.stop_server(hop)
        await self._while_broken()
        await self._up.lab.start_server(hop)

    async def freeze(self) -> None:
        hop = self._hop()
        frozen = self._up.sshd(hop)
        self._up.signal(hop, signal.SIGSTOP)
        await self._while_broken()
        self._up.signal(hop, signal.SIGCONT)
        assert frozen[0] == self._up.sshd(hop)[0]

    async def end_sessions(self) -> None:
        with suppress(ProcessLookupError):  # one went with another
            self._up.signal(self._hop(), signal.SIGKILL, listener=False)

    async def hang_up(self) -> None:
        os.kill(self._up.sshd(self._hop())[0], signal.SIGHUP)

    async def drop(self) -> None:
        hop = self._hop()
        await self._up.drop(hop, self._rng.choice(("in", "out", "both")))
        await self._while_broken()
        await self._up.mend(hop)

    async def reset(self) -> None:
        self._up.relay.reset()

    async def spoil(self) -> None:
        self._up.relay.spoil = 1

    def _hop(self) -> str:
        return self._rng.choice(HOPS)

    async def _while_broken(self) -> None:
        await asyncio.sleep(self._rng.uniform(0.2, 4.0))


async def break_things(up: Field, traffic: Traffic, tally: Tally, rng: random.Random, until: float) -> None:
    """One fault after the other, each when traffic has passed again since the one before."""
    faults = Faults(up, rng)
    while time.monotonic() < until:
        await asyncio.sleep(rng.uniform(0.5, 5.0))
        kind = rng.choice(list(faults.kinds))
        told = len(up.log.events)
        await faults.kinds[kind]()
        begun = time.monotonic()
        await passes(traffic)
        tally.recoveries.append(time.monotonic() - begun)
        tally.faults[kind] += 1
        lost = [e for e in up.log.events[told:] if isinstance(e, SessionChanged) and e.state == "retrying"]
        tally.lost += bool(lost)
        up.log.events.clear()
        print(f"{time.strftime('%H:%M:%S')}  {kind:<26} {tally.recoveries[-1]:6.2f} s", file=sys.stderr)


async def passes(traffic: Traffic) -> None:
    """Returns when an exchange has succeeded."""
    while True:
        try:
            await traffic.echo(1)
        except (OSError, TimeoutError):
            await asyncio.sleep(0.02)
        else:
            return


def memory() -> float:
    """MiB that this process has in memory, with nothing left to the collector."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / MIB


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def soak(minutes: float, seed: int, clients: int) -> int:
    tally = Tally()
    async with field(THREE_HOPS, relay="gateway", rng=random.Random(seed)) as up:
        await up.until_ready()
        traffic = Traffic(up, tally, random.Random(seed))
        for kind in traffic.kinds.values():  # what is made once has been made
            await kind()
        before, opened = memory(), descriptors()
        until = time.monotonic() + minutes * 60
        async with asyncio.TaskGroup() as group:
            for kind in traffic.kinds:
                for _ in range(clients):
                    group.create_task(traffic.go_on(kind, until))
            group.create_task(break_things(up, traffic, tally, random.Random(seed), until))
        await becomes(lambda: up.tunnel("desk").connections == 0)
        after, left = memory(), descriptors()
    report(tally, minutes, seed, (before, after), (opened, left))
    return int(bool(tally.wrong or tally.hanging.total() or left > opened))


def report(tally: Tally, minutes: float, seed: int, memory: tuple[float, float], opened: tuple[int, int]) -> None:
    print(f"{minutes:g} minutes, seed {seed}, {tally.bytes / MIB:,.0f} MiB in streams that were complete\n")
    print(f"{'streams':<28}{'complete':>10}{'broken':>10}{'hanging':>10}")
    for kind in sorted(tally.complete | tally.broken | tally.hanging):
        print(f"{kind:<28}{tally.complete[kind]:>10,}{tally.broken[kind]:>10,}{tally.hanging[kind]:>10,}")
    print(f"\n{'faults':<28}{tally.faults.total():>10,}   ({tally.lost} of them lost a session)")
    for kind, number in sorted(tally.faults.items()):
        print(f"  {kind:<26}{number:>10,}")
    times = sorted(tally.recoveries) or [0.0]
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    print(
        f"recovered after              median {statistics.median(times):.2f} s, p95 {p95:.2f} s, max {times[-1]:.2f} s"
    )
    print(f"truncated or wrong, but clean{len(tally.wrong):>9}")
    for line in tally.wrong[:10]:
        print(f"  {line}")
    print(f"memory                       {memory[0]:.1f} MiB at the start, {memory[1]:.1f} MiB at the end")
    print(f"descriptors                  {opened[0]} at the start, {opened[1]} at the end")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=1, help="of each kind")
    options = parser.parse_args()
    codes: list[int] = []

    async def scene() -> None:
        codes.append(await soak(options.minutes, options.seed, options.clients))

    play(scene())
    return codes[0]


if __name__ == "__main__":
    sys.exit(main())
