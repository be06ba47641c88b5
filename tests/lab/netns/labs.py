"""Labs for tests: topologies as text, dials as words."""

import asyncio
import textwrap
from contextlib import asynccontextmanager

import pytest

from orchestra.lab.netns import available, open_netns_lab
from orchestra.lab.netns.layout import make_layout
from orchestra.loading import load
from orchestra.plugin.vocabulary import Vocabulary
from orchestra.session.errors import DialRefused

REASON = available()

needs_namespaces = [pytest.mark.netns, pytest.mark.skipif(REASON is not None, reason=f"no namespaces here: {REASON}")]


def in_namespaces(test):
    """Marks one test as one that needs them."""
    for mark in needs_namespaces:
        test = mark(test)
    return test


OFFICE = """
    networks: {internet: , office: 10.20.0.0/24}
    clients: {laptop: {networks: [internet]}}
    firewalls:
      edge:
        networks: {internet: 198.51.100.1, office: 10.20.0.1}
        rules:
          - allow: {from: internet, to: gateway, ports: [22]}
    servers:
      gateway: {networks: {office: 10.20.0.2}}
      inner: {networks: {office: 10.20.0.3}, ssh: {port: 2022}}
    targets:
      desk: {networks: {office: 10.20.0.30}, address: "10.20.0.30:5900"}
"""


def topology(tmp_path, text):
    file = tmp_path / "lab.yaml"
    file.write_text(textwrap.dedent(text))
    loaded = load([str(file)], environ={}, vocabulary=Vocabulary())
    assert loaded.topology is not None, loaded.diagnostics
    return loaded.topology


CHAIN = """
    networks: {a: 10.1.0.0/24, b: 10.2.0.0/24, c: 10.3.0.0/24}
    clients: {laptop: {networks: {a: 10.1.0.9}}}
    firewalls:
      one: {networks: {a: 10.1.0.1, b: 10.2.0.1}}
      two: {networks: {b: 10.2.0.2, c: 10.3.0.2}}
      zwo: {networks: {b: 10.2.0.3, c: 10.3.0.3}}
"""


def layout_of(tmp_path, text, client="laptop"):
    return make_layout(topology(tmp_path, text), client)


@asynccontextmanager
async def lab_of(tmp_path, text, client="laptop", denial="reject"):
    lab = await open_netns_lab(topology(tmp_path, text), client, denial=denial)
    try:
        yield lab
    finally:
        await lab.close()


class Recorder:
    """Keeps what it is told; ``ended`` is set at the end of the stream."""

    def __init__(self):
        self.data = b""
        self.changed = asyncio.Event()

    def connection_made(self, stream):
        self.stream = stream

    def data_received(self, data):
        self.data += data
        self.changed.set()

    def eof_received(self):
        return False

    def pause_writing(self): ...
    def resume_writing(self): ...
    def connection_lost(self, exc):  # noqa: ARG002 - as the protocol has it
        self.changed.set()


async def ask(session, host, port):
    """What a stub says of itself when dialed, or the code of the refusal; TIMEOUT when nothing comes back."""
    try:
        async with asyncio.timeout(3):
            stream, recorder = await session.create_connection(Recorder, host, port)
    except DialRefused as refusal:
        return str(refusal.code)
    except TimeoutError:
        return "TIMEOUT"
    try:
        stream.write_eof()
        async with asyncio.timeout(3):
            await recorder.changed.wait()
        return recorder.data.partition(b"\n")[0].decode().strip()
    finally:
        stream.abort()
