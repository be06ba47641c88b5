"""Secrets are read as they are, without a line break at their end, and never shown."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine import secret_sources
from orchestra.engine.secret_sources import CommandSecret, EnvSecret, FileSecret
from orchestra.model.topology import SecretRef
from orchestra.session.errors import OpenFailed

SECRET = "correct horse"


def read(source: Any, value: object) -> bytes:
    return asyncio.run(source.read(SecretRef(kind=source.spec.name, value=value)))  # type: ignore[no-any-return]


def refused(source: Any, value: object) -> str:
    with pytest.raises(OpenFailed) as failure:
        read(source, value)
    assert failure.value.code == Code.SECRET_UNAVAILABLE
    assert SECRET not in str(failure.value)
    return failure.value.message


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_PASSWORD", SECRET)
    assert read(EnvSecret(), "GW_PASSWORD") == SECRET.encode()
    assert refused(EnvSecret(), "NO_SUCH") == "the environment variable NO_SUCH is not set"


@pytest.mark.parametrize(("text", "value"), [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a \n\n", "a \n"), ("", "")])
def test_from_a_file_without_one_line_break(tmp_path: Path, text: str, value: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text.encode())
    file.chmod(0o600)
    assert read(FileSecret(), str(file)) == value.encode()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert refused(FileSecret(), str(tmp_path / "none")).endswith("cannot be read: No such file or directory")
    huge = tmp_path / "huge"
    huge.write_text(SECRET * 100_000)
    huge.chmod(0o600)
    assert "larger than" in refused(FileSecret(), str(huge))


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o640, 0o660])
def test_a_file_that_others_can_read_holds_no_secret(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(mode)
    said = f"{file} is no secret: its mode is {mode:04o}, so that others can read it"
    assert refused(FileSecret(), str(file)) == said


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_file_that_is_not_ours_may_be_given_to_us_by_its_group(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    os.chown(file, 65534, 0)
    file.chmod(0o640)
    assert read(FileSecret(), str(file)) == SECRET.encode()
    file.chmod(0o644)
    assert "others can read it" in refused(FileSecret(), str(file))


def test_from_a_command_without_a_shell() -> None:
    assert read(CommandSecret(), [*python("import sys; print(sys.argv[1])"), "$HOME; ls"]) == b"$HOME; ls"


def test_a_command_that_fails_keeps_what_it_printed_to_itself() -> None:
    code = f"import sys; print('{SECRET}'); print('{SECRET}', file=sys.stderr); sys.exit(3)"
    assert refused(CommandSecret(), python(code)) == f"{sys.executable} ended with status 3"
    assert refused(CommandSecret(), ["/no/such/program"]).startswith("/no/such/program cannot be run: No such file")
    assert "prints more than" in refused(CommandSecret(), python(f"print('{SECRET}' * 200_000)"))


def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_sources, "DEADLINE", 0.5)
    message = refused(CommandSecret(), python(f"import time; print('{SECRET}', flush=True); time.sleep(60)"))
    assert message == f"{sys.executable} did not end within 0.5 seconds"
