"""Datagrams through one hop beside the classic recipe of nc and named pipes, and socat, in one run on loopback.

    python bench/udp.py [--seconds 2] [--rounds 3] [--sizes 64 512 1400]

All contenders go through a real sshd to the same echo, and are asked by the same client, each a process of its own.

rate     echoes per second with 1, 8 or 64 datagrams under way, whichever is best; each has to come back as it was sent
loss     of datagrams that are sent at half of that rate, for as long
latency  the median time to an echo, one at a time, in microseconds, beyond what the echo itself takes

The last contender is a TCP relay of ours, with the same bytes: what a session costs anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

from orchestra_plugins.udp.bridge import open_bridge
from orchestra_plugins.udp.flows import FlowTable
from orchestra_plugins.udp.joint import Conversation, Joint

from orchestra.engine.relay import Relay
from orchestra.engine.ssh.transport import SshTransport
from orchestra.model.plan import Dial
from orchestra.model.topology import Host, SecretRef, Server, SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.here import Here
from orchestra.session.protocols import Peer, Receiver, Session

LOOPBACK = "127.0.0.1"
SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
LogLevel ERROR
"""
CONFIG = """
Host hop1
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
"""
UNDER_WAY = (1, 8, 64)
PATIENCE = 0.2
"""Seconds after which a datagram is lost."""
LOST = 20
"""Datagrams whose loss ends the measuring of latency."""


# The two ends, each in a process of its own.


def serve(port: int) -> None:
    """Echoes datagrams, and streams."""
    poll, datagrams = select.poll(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    datagrams.bind((LOOPBACK, port))
    listener = socket.create_server((LOOPBACK, port))
    streams: dict[int, socket.socket] = {}
    poll.register(datagrams, select.POLLIN)
    poll.register(listener, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == datagrams.fileno():
                data, peer = datagrams.recvfrom(65536)
                datagrams.sendto(data, peer)
            elif number == listener.fileno():
                stream, _ = listener.accept()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                streams[stream.fileno()] = stream
                poll.register(stream, select.POLLIN)
            elif data := streams[number].recv(65536):
                streams[number].sendall(data)
            else:
                poll.unregister(number)
                streams.pop(number).close()


class Client:
    """Numbered datagrams of one size, or a stream of as many bytes."""

    def __init__(self, port: int, size: int, kind: socket.SocketKind) -> None:
        self.sock = socket.socket(socket.AF_INET, kind)
        if kind == socket.SOCK_DGRAM:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.connect((LOOPBACK, port))
        self.sock.settimeout(PATIENCE)
        self.filler = bytes(size - 8)

    def send(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.sock.send(number.to_bytes(8, "big") + self.filler)

    def receive(self) -> int | None:
        """The number of one that came back as it was sent; None when none did in time."""
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            try:
                data = self.sock.recv(65536)
            except OSError:
                continue
            if len(data) == len(self.filler) + 8:
                return int.from_bytes(data[:8], "big")
        return None

    def rate(self, seconds: float, under_way: int) -> float:
        """Echoes per second, with so many under way; what does not come back in time is lost, and others follow."""
        got = sent = waiting = 0
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            while waiting < under_way:
                self.send(sent)
                sent, waiting = sent + 1, waiting + 1
            if self.receive() is None:
                waiting = 0
            else:
                got, waiting = got + 1, waiting - 1
        return got / (time.perf_counter() - begun)

    def loss(self, rate: float, seconds: float) -> float:
        """The share that is lost of those that are sent at a rate."""
        self.sock.setblocking(False)
        total, sent, got = max(1, int(rate * seconds)), 0, set[int]()
        begun = time.perf_counter()
        while (now := time.perf_counter() - begun) < seconds + PATIENCE and len(got) < total:
            while sent < min(total, int(now * rate) + 1):
                self.send(sent)
                sent += 1
            ready, _, _ = select.select([self.sock], [], [], min(0.001, 0.5 / rate))
            with contextlib.suppress(OSError):
                while ready:
                    data = self.sock.recv(65536)
                    if len(data) == len(self.filler) + 8:
                        got.add(int.from_bytes(data[:8], "big"))
        self.sock.settimeout(PATIENCE)
        return 1 - len(got) / max(1, sent)

    def latency(self, count: int) -> float:
        """The median of that many, in microseconds."""
        times: list[float] = []
        for number in range(count):
            if number - len(times) > LOST:
                break
            begun = time.perf_counter()
            self.send(number)
            if self.receive() is not None:
                times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1e6 if len(times) >= count - LOST else float("nan")


def ask(port: int, size: int, seconds: float, stream: bool) -> dict[str, float]:
    """All three figures of one contender; a stream has a latency only."""
    client = Client(port, size, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    for number in range(10):  # the first find a path, and wake whoever sleeps
        client.send(number)
        client.receive()
    found = {"latency": client.latency(300)}
    if not stream:
        found["rate"] = max(client.rate(seconds / len(UNDER_WAY), each) for each in UNDER_WAY)
        time.sleep(PATIENCE)
        while client.receive() is not None:
            pass
        found["loss"] = client.loss(max(1.0, found["rate"] / 2), seconds)
    return found


async def measure(port: int, size: int, seconds: float, *, stream: bool = False) -> dict[str, float]:
    """The same by a client that is a process of its own."""
    command = [sys.executable, __file__, "--client", str(port), str(size), str(seconds), str(int(stream))]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    figures: dict[str, float] = json.loads(output)
    return figures


# What they go through.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def prepare(folder: Path, sshd: int) -> None:
    """Keys and configuration of all."""
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "known_hosts").write_text(f"[{LOOPBACK}]:{sshd} {(folder / 'host_key.pub').read_text()}")
    (folder / "sshd_config").write_text(SSHD.format(port=sshd, folder=folder))
    (folder / "config").write_text(CONFIG.format(port=sshd, folder=folder))


async def answers(port: int) -> None:
    """Waits until somebody listens there."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def connected(folder: Path, sshd: int) -> Session:
    """A session of ours."""

    async def no_secret(ref: SecretRef) -> bytes:
        raise LookupError(ref.kind)

    known, key = str(folder / "known_hosts"), str(folder / "user_key")
    settings = SshSettings(host=LOOPBACK, port=sshd, identity=(key,), known_hosts=(known,))
    request = OpenRequest(
        server=Host(name="hop1", kind="server", server=Server(ssh=settings)),
        dial=Dial(by="here", host=LOOPBACK, port=sshd),
        over=Here("here"),
        depth=1,
        read_secret=no_secret,
        notice=print,
    )
    return await SshTransport().open(request)


# The contenders: each gives the port of a tunnel.


@contextlib.asynccontextmanager
async def through_programs(commands: list[str], port: int) -> AsyncIterator[int]:
    """Shell commands that run as long as it is asked."""
    processes = [
        await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command, start_new_session=True, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    await asyncio.sleep(2.0)
    try:
        yield port
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


def through_nc(folder: Path, target: int) -> contextlib.AbstractAsyncContextManager[int]:
    """Two pipes and four netcats round one forwarded connection."""
    udp, tcp, far = free_port(), free_port(), free_port()
    pipes = Path(tempfile.mkdtemp(dir=folder))
    for name in ("near", "far"):
        os.mkfifo(pipes / name)
    remote = f"nc -l {LOOPBACK} {far} < {pipes}/far | nc -u {LOOPBACK} {target} > {pipes}/far"
    ssh = f"exec ssh -F {folder}/config -L {LOOPBACK}:{tcp}:{LOOPBACK}:{far} hop1 '{remote}'"
    local = f"sleep 1.2; nc -u -l {LOOPBACK} {udp} < {pipes}/near | nc {LOOPBACK} {tcp} > {pipes}/near"
    return through_programs([ssh, local], udp)


def through_socat(folder: Path, target: int) -> contextlib.AbstractAsyncContextManager[int]:
    """A socat at each end of one forwarded connection."""
    udp, tcp, far = free_port(), free_port(), free_port()
    remote = f"socat -b65536 TCP-LISTEN:{far},bind={LOOPBACK},nodelay UDP:{LOOPBACK}:{target}"
    ssh = f"exec ssh -F {folder}/config -L {LOOPBACK}:{tcp}:{LOOPBACK}:{far} hop1 '{remote}'"
    local = f"sleep 1.2; exec socat -b65536 UDP-LISTEN:{udp},bind={LOOPBACK} TCP:{LOOPBACK}:{tcp},nodelay"
    return through_programs([ssh, local], udp)


class Context:
    """What a joint needs of its tunnel."""

    tunnel = SimpleNamespace(dial=Dial(by="hop1", host=LOOPBACK, port=0))

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.bytes_in = self.bytes_out = 0

    def tally(self, name: str, by: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + by

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out


@contextlib.asynccontextmanager
async def through_orchestra(session: Session, target: int) -> AsyncIterator[tuple[int, int]]:
    """A listener of this machine joined to a helper at the server; and a TCP relay of the same session."""
    here, far = Here("here"), await open_bridge(session)
    near = await open_bridge(here)

    class Exits:
        async def open(self, party):  # type: ignore[no-untyped-def]
            return far.flow(party, LOOPBACK, target)

        def flush(self) -> None:
            far.flush()

    joint = Joint(Context(), Exits(), FlowTable[Conversation](), lambda: None)  # type: ignore[arg-type]
    listening = await near.listen(joint, LOOPBACK, 0)

    async def accept(_peer: Peer) -> Receiver:
        relay = Relay(lambda _: None)
        await session.create_connection(lambda: relay.exit, LOOPBACK, target)
        return relay.entry

    streams = await here.create_server(accept, LOOPBACK, 0)
    try:
        yield listening.port, streams.port
    finally:
        joint.close()
        near.close()
        far.close()
        here.abort()


async def compare(folder: Path, sizes: list[int], seconds: float, rounds: int) -> None:
    """The table."""
    sshd, target = free_port(), free_port()
    prepare(folder, sshd)
    server = await asyncio.create_subprocess_exec("/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config"))
    echo = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", str(target))
    try:
        await answers(sshd)
        await answers(target)
        session = await connected(folder, sshd)
        async with through_orchestra(session, target) as (ours, relay):
            print(f"median of {rounds}, {seconds:g} s each\n")
            print(f"bytes  contender    {'rate/s':>8}  {'loss':>6}  {'added latency':>13}", flush=True)
            for size in sizes:
                await table(folder, size, target, (ours, relay), seconds, rounds)
        session.abort()
        await session.wait_closed()
    finally:
        for process in (server, echo):
            process.terminate()
            await process.wait()


async def table(folder: Path, size: int, target: int, ports: tuple[int, int], seconds: float, rounds: int) -> None:
    """The lines of one size; the contenders take turns."""
    recipes: dict[str, Callable[[Path, int], contextlib.AbstractAsyncContextManager[int]]] = {}
    if shutil.which("nc"):
        recipes["nc and pipes"] = through_nc
    if shutil.which("socat"):
        recipes["socat"] = through_socat
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        bare = await measure(target, size, seconds)
        bare_tcp = await measure(target, size, seconds, stream=True)
        for name, recipe in recipes.items():
            async with recipe(folder, target) as port:
                figures = await measure(port, size, seconds)
            found.setdefault(name, []).append(figures | {"latency": figures["latency"] - bare["latency"]})
        figures = await measure(ports[0], size, seconds)
        found.setdefault("orchestra", []).append(figures | {"latency": figures["latency"] - bare["latency"]})
        figures = await measure(ports[1], size, seconds, stream=True)
        found.setdefault("tcp relay", []).append({"latency": figures["latency"] - bare_tcp["latency"]})
    for name, each in found.items():
        middle = {key: statistics.median(figures[key] for figures in each) for key in each[0]}
        rate, loss = (f"{middle['rate']:8.0f}", f"{middle['loss']:6.1%}") if "rate" in middle else (" " * 8, " " * 6)
        print(f"{size:>5}  {name:<12} {rate}  {loss}  {middle['latency']:>10.0f} µs", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="UDP beside netcat and socat, on loopback.")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 512, 1400])
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    elif options.client:
        port, size, seconds, stream = options.client
        print(json.dumps(ask(int(port), int(size), float(seconds), stream == "1")))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(compare(Path(folder), options.sizes, options.seconds, options.rounds))


if __name__ == "__main__":
    main()
