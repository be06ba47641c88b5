"""Entries of a real keyring, in a file: read when they are needed; what is wrong is said, and none is shown."""

from __future__ import annotations

import asyncio
import builtins
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringError, KeyringLocked
from keyrings.alt.file import PlaintextKeyring
from orchestra_plugins import keyring_secret
from orchestra_plugins.keyring_secret.secret import EXTRA, KeyringSecret

from orchestra.diagnostics import Code
from orchestra.loading import json_schema, load
from orchestra.model.topology import SecretRef
from orchestra.plugin.manager import Plugins, load_plugins
from orchestra.session.errors import OpenFailed

SECRET = "correct horse"


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[PlaintextKeyring]:
    """A keyring in a file, with one entry."""
    before = keyring.get_keyring()
    made = PlaintextKeyring()
    made.file_path = str(tmp_path / "keyring")
    keyring.set_keyring(made)
    made.set_password("ssh/gateway", "alice", SECRET)
    yield made
    keyring.set_keyring(before)


def read(service: str = "ssh/gateway", username: str = "alice") -> bytes:
    ref = SecretRef(kind="keyring", value={"service": service, "username": username})
    return asyncio.run(KeyringSecret().read(ref))


def refused() -> OpenFailed:
    with pytest.raises(OpenFailed) as failure:
        read("ssh/gateway", "bob")
    assert failure.value.code == Code.SECRET_UNAVAILABLE
    assert SECRET not in str(failure.value)
    return failure.value


def test_an_entry_is_read(backend: PlaintextKeyring) -> None:
    assert read() == SECRET.encode()


def test_an_entry_that_is_not_there(backend: PlaintextKeyring) -> None:
    failure = refused()
    assert failure.message == "the keyring has no entry ssh/gateway/bob"
    assert failure.suggestion == "keyring set ssh/gateway bob"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyringLocked(SECRET), "the keyring is locked, and was not unlocked"),
        (KeyringError(SECRET), "the keyring cannot be read (KeyringError)"),
    ],
)
def test_a_keyring_that_fails(
    backend: PlaintextKeyring, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(backend, "get_password", fails)
    assert refused().message == message


def test_a_machine_without_a_keyring(backend: PlaintextKeyring) -> None:
    keyring.set_keyring(NoKeyring())
    failure = refused()
    assert failure.message == "there is no keyring here that could be asked"
    assert "PYTHON_KEYRING_BACKEND" in str(failure.suggestion)


def test_a_machine_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def import_(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "keyring":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", import_)
    failure = refused()
    assert (failure.message, failure.suggestion) == ("the library keyring is not installed (keyring)", EXTRA)


def test_a_keyring_that_asks_a_person_stops_nobody(backend: PlaintextKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked = threading.Event()

    def waits(*_: object) -> str:
        unlocked.wait(20)
        return SECRET

    monkeypatch.setattr(backend, "get_password", waits)

    async def main() -> bytes:
        ref = SecretRef(kind="keyring", value={"service": "s", "username": "u"})
        reading = asyncio.create_task(KeyringSecret().read(ref))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not reading.done()
        unlocked.set()
        return await reading

    assert asyncio.run(main()) == SECRET.encode()


def plugins() -> Plugins:
    return load_plugins([], extra=[keyring_secret], entry_points=False)


def loaded(password: str) -> Any:
    text = f"servers:\n  gw: {{ssh: {{host: gw, password: {{keyring: {password}}}}}}}\n"
    vocabulary = plugins().vocabulary
    return load(["-"], environ={}, vocabulary=vocabulary, stdin=text)


@pytest.mark.parametrize("written", ["ssh/gateway/alice", "{service: ssh/gateway, username: alice}"])
def test_it_is_written_short_or_long(written: str) -> None:
    topology = loaded(written).topology
    ref = topology.hosts["gw"].server.ssh.password
    assert (ref.kind, ref.value) == ("keyring", {"service": "ssh/gateway", "username": "alice"})


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("alice", "2:44", "write SERVICE/USERNAME, or {service: …, username: …}"),
        ("[a]", "2:44", "a map is needed here, not a list"),
        ("{service: a}", "2:35", "the key 'username' is missing"),
        ('{service: a, username: ""}', "2:67", "String should have at least 1 character"),
        ("{service: a, username: b, user: c}", "2:70", "unknown key 'user'"),
    ],
)
def test_mistakes_have_their_place(written: str, place: str, message: str) -> None:
    (found,) = loaded(written).diagnostics
    assert str(found.place).partition(":")[2] == place
    assert found.message == message


def test_it_is_in_the_schema() -> None:
    schema = json_schema(plugins().vocabulary)["definitions"]["Secret"]["properties"]["keyring"]
    text, long = schema["anyOf"]
    assert text == {"type": "string"}
    assert long["required"] == ["service", "username"]
    assert "keyring" in schema["description"]
