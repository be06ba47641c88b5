"""Forwarding as two libraries do it by themselves, in a process of its own.

python bench/libraries.py asyncssh|sshtunnel ADDRESS FOLDER FORWARDS
"""

from __future__ import annotations

import asyncio
import getpass
import json
import signal
import sys
from typing import Any

LOOPBACK = "127.0.0.1"
CIPHER = "aes128-gcm@openssh.com"
Forwards = list[dict[str, Any]]
"""Each: ``port`` here, ``path``, the ports of the servers on the way, ``target``, a port of the last one's loopback."""


async def with_asyncssh(address: str, folder: str, forwards: Forwards) -> None:
    """Connections opened through each other, and ``forward_local_port`` on the last."""
    import asyncssh

    connections: dict[tuple[int, ...], asyncssh.SSHClientConnection] = {}
    for each in forwards:
        path = tuple(each["path"])
        for length in range(1, len(path) + 1):
            if path[:length] not in connections:
                connections[path[:length]] = await asyncssh.connect(
                    address,
                    path[length - 1],
                    tunnel=connections.get(path[: length - 1], ()),
                    username=getpass.getuser(),
                    client_keys=[f"{folder}/user_key"],
                    known_hosts=f"{folder}/known_hosts",
                    config=(),
                    agent_path=None,
                    encryption_algs=[CIPHER],
                )
        await connections[path].forward_local_port(LOOPBACK, each["port"], LOOPBACK, each["target"])
    await asyncio.Event().wait()


def with_sshtunnel(address: str, folder: str, forwards: Forwards) -> None:
    """``SSHTunnelForwarder``; its default cipher, of one hop."""
    import sshtunnel  # type: ignore[import-untyped]

    running = [
        sshtunnel.SSHTunnelForwarder(
            (address, each["path"][0]),
            ssh_username=getpass.getuser(),
            ssh_pkey=f"{folder}/user_key",
            ssh_config_file=None,
            allow_agent=False,
            host_pkey_directories=[],
            local_bind_address=(LOOPBACK, each["port"]),
            remote_bind_address=(LOOPBACK, each["target"]),
        )
        for each in forwards
    ]
    for each in running:
        each.start()
    signal.pause()


def main(library: str, address: str, folder: str, forwards: str) -> None:
    if library == "asyncssh":
        asyncio.run(with_asyncssh(address, folder, json.loads(forwards)))
    else:
        with_sshtunnel(address, folder, json.loads(forwards))


if __name__ == "__main__":
    main(*sys.argv[1:])
