"""Who is there, and who are we: rows 10, 11 and 17 of docs/faults.md. Nothing of this is tried again by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from orchestra.model.topology import Topology
from tests.acceptance.world import with_server
from tests.faults.field import Field, field, long
from tests.faults.leaks import play
from tests.lab.netns.labs import needs_namespaces

pytestmark = needs_namespaces

QUIET = 1.0
"""Seconds in which a failure that comes and goes would have been tried again several times."""


def known_by(file: Path) -> Callable[[Topology], Topology]:
    """The host key of inner stands in a file, as users have it."""

    def login(topology: Topology) -> Topology:
        server = topology.hosts["inner"].server
        assert server
        file.write_text(f"# the office\n10.20.0.3 {server.ssh.host_key[0]}\n")
        return with_server(topology, "inner", ssh={"host_key": (), "known_hosts": (str(file),)})

    return login


async def come_back_with_another_key(up: Field, server: str) -> str:
    """The server restarts, and shows a key that nobody has seen; its fingerprint."""
    line = next(line for line in up.config(server).read_text().splitlines() if line.startswith("HostKey"))
    key = asyncssh.generate_private_key("ssh-ed25519")
    up.file(Path(line).name).write_bytes(key.export_private_key())
    await up.lab.stop_server(server)
    await up.lab.start_server(server)
    return key.get_fingerprint()


def test_fault_10_a_hop_that_comes_back_with_another_key_is_not_used_and_not_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"

    async def scene() -> None:
        async with field(login=known_by(file), relay="inner") as up:
            await up.until_ready()
            old = asyncssh.read_known_hosts(str(file)).match("10.20.0.3", "", None)[0][0].get_fingerprint()
            new = await come_back_with_another_key(up, "inner")
            await up.until(lambda: up.session("inner").state == "failed")
            error, asked = up.error("inner"), up.relay.accepted
            assert (error.code, error.host, error.next_retry) == ("HOST_KEY_CHANGED", "inner", None)
            for part in (old, new, f"{file}:2"):
                assert part in f"{error.message} {error.suggestion}"
            assert up.tunnel("desk").state == "failed"
            await up.is_refused()
            await up.stays_quiet(QUIET)
            assert up.relay.accepted == asked
            assert up.session("gateway").state == "open"
            assert file.read_text().count("\n") == 2

    play(scene())


@pytest.mark.parametrize("victim", ["gateway", pytest.param("inner", marks=long)])
def test_fault_17_a_hop_that_no_longer_lets_us_in_is_not_asked_again(victim: str) -> None:
    async def scene() -> None:
        async with field(relay=victim) as up:
            await up.until_ready()
            await up.configure(victim, "AuthorizedKeysFile none")
            await up.until(lambda: up.session(victim).state == "failed")
            error, asked = up.error(victim), up.relay.accepted
            assert (error.code, error.host, error.next_retry) == ("AUTH_FAILED", victim, None)
            assert up.tunnel("desk").state == "failed"
            await up.stays_quiet(QUIET)
            assert up.relay.accepted == asked

    play(scene())


@long
def test_fault_13_an_address_that_is_not_let_in_is_seen_once() -> None:
    """OpenSSH 9.8 penalises an address for each login that fails: 5 seconds, from 15 on nobody there is let in."""

    async def scene() -> None:
        async def forbid(up: Field) -> None:
            await up.configure("gateway", "AuthorizedKeysFile none")

        async with field(relay="gateway", prepare=forbid) as up:
            await up.until(lambda: up.session("gateway").state == "failed")
            await up.stays_quiet(QUIET)
            assert up.relay.accepted == 1
            assert up.log_of("gateway").count("Connection from") == 1

    play(scene())


@long
def test_fault_33_a_hop_frozen_while_it_logs_us_in_is_tried_anew() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            os.kill(up.sshd("inner")[0], signal.SIGSTOP)
            up.signal("inner", signal.SIGKILL, listener=False)
            await up.until_lost("inner")
            await up.until(
                lambda: up.session("inner").error is not None and up.error("inner").code == "CONNECT_TIMEOUT"
            )
            assert "did not answer in 3 s" in up.error("inner").message
            os.kill(up.sshd("inner")[0], signal.SIGCONT)
            await up.until_back()

    play(scene())
