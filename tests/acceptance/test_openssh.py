"""The transport `openssh` through the whole product: real sshd in namespaces, mixed with the transport `ssh`."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from orchestra.lab.stub import payload
from orchestra.model.topology import Topology
from orchestra.session.here import Here
from orchestra.testing import Collector
from tests.acceptance.world import LABS, World, needs_netns, play, with_server, world

EXAMPLE = Path(__file__).parents[2] / "topologies" / "openssh.yaml"
MEGABYTE = 1 << 20

pytestmark = [pytest.mark.netns, needs_netns]


def digest(size: int) -> str:
    seen = hashlib.sha256()
    for chunk in payload(size):
        seen.update(chunk)
    return seen.hexdigest()


def test_bulk_both_ways_half_closed_while_another_client_reads_nothing() -> None:
    async def scene() -> None:
        async with world(EXAMPLE, "netns") as up:
            await up.until_ready()
            print(up.entrance("files"))

    play(scene())
