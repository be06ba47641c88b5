"""A vocabulary with core's words and those of a few plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from orchestra.loading import Loaded, load
from orchestra.model.topology import Host, Server, Topology
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, SecretSpec, TransportSpec, Vocabulary


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Kubectl(Strict):
    pod: str
    namespace: str = "default"


class Socks(Strict):
    allow: list[str] = []


class Http(Strict):
    status: int = 200
    path: str = "/"
    method: Literal["GET", "HEAD"] = "GET"


VOCABULARY = Vocabulary(
    transports={
        "ssh": TransportSpec(name="ssh"),
        "kubectl": TransportSpec(name="kubectl", dialed=False, fields=Kubectl, package="orchestra-kubectl"),
    },
    kinds={
        "tcp": KindSpec(name="tcp"),
        "socks": KindSpec(name="socks", to="no", exit="required", fields=Socks, package="orchestra-socks"),
        "udp": KindSpec(name="udp", protocols=("udp",), package="orchestra-udp"),
    },
    checks={
        "tcp": CheckSpec(name="tcp"),
        "http": CheckSpec(name="http", fields=Http),
        "vnc": CheckSpec(name="vnc", package="orchestra-vnc"),
    },
    secrets={
        "env": SecretSpec(name="env", value="text"),
        "file": SecretSpec(name="file", value="path"),
        "command": SecretSpec(name="command", value="command"),
        "vault": SecretSpec(name="vault", value="any", package="orchestra-vault"),
    },
)


def read(text: str | bytes, environ: Mapping[str, str] | None = None) -> Loaded:
    """Loads a text as if it came by standard input."""
    return load(["-"], environ=environ or {}, vocabulary=VOCABULARY, stdin=text)


def said(loaded: Loaded) -> list[str]:
    """``line:column CODE`` of every diagnostic."""
    return [f"{d.place.line}:{d.place.column} {d.code}" if d.place else str(d.code) for d in loaded.diagnostics]


def topology(text: str, **environ: str) -> Topology:
    loaded = read(text, {"HOME": "/home/u", **environ})
    assert loaded.diagnostics == ()
    assert loaded.topology is not None
    return loaded.topology


def host(text: str, name: str) -> Host:
    return topology(text).hosts[name]


def server(text: str, name: str = "s") -> Server:
    found = host(text, name).server
    assert found is not None
    return found
