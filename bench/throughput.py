"""Throughput through 1, 2 and 3 hops, up and down, beside ``ssh -L`` and ``-J``, in one run on loopback.

    python bench/throughput.py [--megabytes 128] [--hops 1 2 3] [--rounds 3]

Every cell moves the same bytes through a real sshd between two processes of their own; the cipher is AES-128-GCM on
both sides. The contenders take turns; a cell is the median of the rounds, in MB/s.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

from orchestra.engine.relay import Relay
from orchestra.engine.ssh.transport import SshTransport
from orchestra.model.plan import Dial
from orchestra.model.topology import Host, SecretRef, Server, SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.here import Here
from orchestra.session.protocols import Peer, Receiver, Session

MIB = 1 << 20
BLOCK = bytes(256 * 1024)
LOOPBACK = "127.0.0.1"
CIPHER = "aes128-gcm@openssh.com"

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

HOP = """
Host hop{number}
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  Ciphers {cipher}
  {jump}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


# The two ends, each in a process of its own.


def serve(port: int) -> None:
    """Takes (``U``) or sends (``D``) as many bytes as it is told, for each connection."""
    with socket.create_server((LOOPBACK, port)) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve_one, args=(connection,), daemon=True).start()


def _serve_one(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        order = connection.recv(9, socket.MSG_WAITALL)
        size = int.from_bytes(order[1:], "big")
        if order[:1] == b"U":
            _take(connection, size)
            connection.sendall(b"k")
        else:
            _give(connection, size)


def transfer(port: int, direction: str, size: int) -> float:
    """Seconds that one transfer took."""
    with socket.create_connection((LOOPBACK, port)) as connection:
        begun = time.perf_counter()
        connection.sendall(direction.encode() + size.to_bytes(8, "big"))
        if direction == "U":
            _give(connection, size)
            _take(connection, 1)
        else:
            _take(connection, size)
        return time.perf_counter() - begun


def _give(connection: socket.socket, size: int) -> None:
    for _ in range(size // len(BLOCK)):
        connection.sendall(BLOCK)


def _take(connection: socket.socket, size: int) -> None:
    buffer = bytearray(MIB)
    while size > 0:
        if not (got := connection.recv_into(buffer)):
            raise ConnectionError("the stream ended early")
        size -= got


# The two contenders: each gives the local port of a tunnel.


@contextlib.asynccontextmanager
async def through_ssh(folder: Path, hops: int, target: int) -> AsyncIterator[int]:
    """``ssh -L``, with ``-J`` for more than one hop."""
    port = free_port()
    forward = f"{LOOPBACK}:{port}:{LOOPBACK}:{target}"
    command = ["ssh", "-F", str(folder / "config"), "-N", "-o", "ExitOnForwardFailure=yes", "-L", forward, f"hop{hops}"]
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
    try:
        await answers(port)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


@contextlib.asynccontextmanager
async def through_orchestra(folder: Path, hops: int, target: int, sshd: int) -> AsyncIterator[int]:
    """A listener of this machine, joined to the last of that many sessions."""
    here = Here("here")
    sessions: list[Session] = [here]
    for depth in range(1, hops + 1):
        sessions.append(await SshTransport().open(_request(folder, sshd, sessions[-1], depth)))

    async def accept(_peer: Peer) -> Receiver:
        relay = Relay(lambda _: None)
        await sessions[-1].create_connection(lambda: relay.exit, LOOPBACK, target)
        return relay.entry

    listener = await here.create_server(accept, LOOPBACK, 0)
    try:
        yield listener.port
    finally:
        for session in reversed(sessions):
            session.abort()
            await session.wait_closed()


def _request(folder: Path, sshd: int, over: Session, depth: int) -> OpenRequest:
    settings = SshSettings(
        host=LOOPBACK,
        port=sshd,
        identity=(str(folder / "user_key"),),
        known_hosts=(str(folder / "known_hosts"),),
    )
    return OpenRequest(
        server=Host(name=f"hop{depth}", kind="server", server=Server(ssh=settings)),
        dial=Dial(by=over.host, host=LOOPBACK, port=sshd),
        over=over,
        depth=depth,
        read_secret=_no_secret,
        notice=print,
    )


async def _no_secret(ref: SecretRef) -> bytes:
    raise LookupError(ref.kind)


async def measure(port: int, direction: str, megabytes: int) -> float:
    """MB/s of one cell; the client is a process of its own."""
    command = [sys.executable, __file__, "--client", str(port), direction, str(megabytes * MIB)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    return megabytes * MIB / float(output) / 1e6


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


async def compare(folder: Path, hops: list[int], megabytes: int, rounds: int) -> None:
    """The table."""
    async with servers(folder, max(hops)) as (sshd, target):
        print(f"MB/s, {megabytes} MiB per cell, median of {rounds}\n")
        print(f"hops  direction  {'ssh':>8}  {'orchestra':>9}  {'ratio':>5}")
        for count in hops:
            async with (
                through_ssh(folder, count, target) as ssh,
                through_orchestra(folder, count, target, sshd) as ours,
            ):
                for direction in "UD":
                    pairs = [
                        (await measure(ssh, direction, megabytes), await measure(ours, direction, megabytes))
                        for _ in range(rounds)
                    ]
                    theirs, mine = (statistics.median(each) for each in zip(*pairs, strict=True))
                    name = "up" if direction == "U" else "down"
                    print(f"{count:>4}  {name:<9}  {theirs:>8.0f}  {mine:>9.0f}  {mine / theirs:>5.2f}", flush=True)


@contextlib.asynccontextmanager
async def servers(folder: Path, hops: int) -> AsyncIterator[tuple[int, int]]:
    """The ports of a running sshd and of the target, with keys and configuration for that many hops."""
    sshd, target = free_port(), free_port()
    prepare(folder, sshd, hops)
    server = await asyncio.create_subprocess_exec("/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config"))
    sink = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", str(target))
    try:
        await answers(sshd)
        await answers(target)
        yield sshd, target
    finally:
        for process in (server, sink):
            process.terminate()
            await process.wait()


def prepare(folder: Path, sshd: int, hops: int) -> None:
    """Keys and configuration of both contenders."""
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "known_hosts").write_text(f"[{LOOPBACK}]:{sshd} {(folder / 'host_key.pub').read_text()}")
    (folder / "sshd_config").write_text(SSHD.format(port=sshd, folder=folder))
    entries = []
    for number in range(1, hops + 1):
        jump = f"ProxyJump hop{number - 1}" if number > 1 else f"User {getpass.getuser()}"
        entries.append(HOP.format(number=number, port=sshd, folder=folder, cipher=CIPHER, jump=jump))
    (folder / "config").write_text("".join(entries))


def main() -> None:
    parser = argparse.ArgumentParser(description="Throughput beside ssh, on loopback.")
    parser.add_argument("--megabytes", type=int, default=128, help="per cell")
    parser.add_argument("--hops", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    elif options.client:
        port, direction, size = options.client
        print(transfer(int(port), direction, int(size)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(compare(Path(folder), options.hops, options.megabytes, options.rounds))


if __name__ == "__main__":
    main()
