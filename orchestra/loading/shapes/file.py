"""The whole file."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from orchestra.loading.faults import Fault
from orchestra.loading.shapes.base import Many, Shape, Text
from orchestra.loading.shapes.hosts import Client, Firewall, Network, Server, Target
from orchestra.loading.shapes.tunnels import Expectation, Tunnel
from orchestra.loading.shapes.values import TopologyName

FORMAT_VERSION = 1

SECTIONS: dict[str, type[Shape]] = {
    "networks": Network,
    "clients": Client,
    "firewalls": Firewall,
    "servers": Server,
    "targets": Target,
    "tunnels": Tunnel,
}
"""The sections whose entries have names. They are checked entry by entry, so that a broken one harms no other."""


class Requires(Shape):
    """Versions that the file needs."""

    expects: ClassVar[str] = "a map with `orchestra` and `plugins`"

    orchestra: Text | None = Field(default=None, examples=[">=0.1"])
    """Versions of orchestra that can read the file."""
    plugins: dict[str, Text] = Field(default_factory=dict, examples=[{"orchestra-kafka": ">=0.3"}])
    """Distributions of plugins that have to be installed, and their versions."""


class Head(Shape):
    """What is said of the file as a whole."""

    expects: ClassVar[str] = "a map"

    version: int = FORMAT_VERSION
    """The version of the format."""
    name: TopologyName | None = None
    """What a running orchestra of this file is called; default: the file's stem."""
    include: Many[Text] = Field(default=(), examples=[["common.yaml"]])
    """Files on which this one is laid, relative to it: maps merge, lists replace, this file wins."""
    requires: Requires | None = None
    """Versions of orchestra and of plugins that the file needs."""


class Defaults(Shape):
    """Keys for every entry of a section; the entry overrides them."""

    expects: ClassVar[str] = "a map of sections"

    networks: Network | None = None
    """For every network."""
    clients: Client | None = None
    """For every client."""
    firewalls: Firewall | None = None
    """For every firewall."""
    servers: Server | None = None
    """For every server."""
    targets: Target | None = None
    """For every target."""
    tunnels: Tunnel | None = None
    """For every tunnel, also those that stand for targets of a file without `tunnels:`."""


class File(Head):
    """An orchestra topology: what is where, and what must be reachable."""

    may_be_empty: ClassVar[frozenset[str]] = frozenset({*SECTIONS, "defaults", "expect"})

    networks: dict[str, Network] | None = None
    """Segments whose hosts reach one another's addresses directly."""
    defaults: Defaults | None = None
    """Keys for every entry of a section, where the entry does not say otherwise."""
    clients: dict[str, Client] | None = None
    """Hosts on which people or programs start connections."""
    firewalls: dict[str, Firewall] | None = None
    """Hosts that pass traffic between their networks by rules."""
    servers: dict[str, Server] | None = None
    """Hosts with an SSH server."""
    targets: dict[str, Target] | None = None
    """Services to be reached."""
    tunnels: dict[str, Tunnel] | None = None
    """What must be reachable; default: every target, from here, at its own port on localhost."""
    expect: tuple[Expectation, ...] | None = None
    """Tests of the topology itself, run by `validate` and `plan`."""


def check_version(version: int) -> Fault | None:
    """Why a file of this version cannot be read."""
    if version == FORMAT_VERSION:
        return None
    return Fault(f"this orchestra reads version {FORMAT_VERSION} of the format, not {version}", key=("version",))
