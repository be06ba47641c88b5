"""Documents are under test: every YAML block loads and plans, every command shown runs and ends as it says.

A YAML block begins with its file name as a comment; a ``console`` block's lines begin with ``$ orchestra``, and may end
in ``# exit N``. The commands of one document run in order, in one empty folder that holds the document's files. A
``text`` block that follows is what the first of them prints.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from orchestra.cli import main
from orchestra.lab.netns import available

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPENING = {"connect", "demo", "run", "up"}
"""Commands that open something, each in a process and a network of its own; what asks a running one goes by paths."""
SHOWN = re.compile(r"```console\n\$ ([^#\n]+)[^`]*```\n\n```text\n(.*?)```", re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(document.read_text()) if kind == language]


def write_files(document: Path, folder: Path) -> list[str]:
    names = []
    for body in blocks(document, "yaml"):
        name = re.match(r"# (\S+\.yaml)\n", body)
        assert name, f"a YAML block of {document.name} does not begin with its file name:\n{body}"
        (folder / name[1]).write_text(body)
        names.append(name[1])
    return names


def run(command: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = shlex.split(command, comments=True)
    assert arguments[0] == "orchestra"
    if arguments[1] not in OPENING:
        return called(arguments, folder, environ)
    return subprocess.run(
        [*apart(), sys.executable, "-m", *arguments],
        cwd=folder,
        env=environ,
        text=True,
        capture_output=True,
        timeout=50,
        check=False,
    )


def called(arguments: list[str], folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Without a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), mock.patch.dict(os.environ, environ), redirect_stdout(out), redirect_stderr(err):
        code = main(arguments[1:])
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def apart() -> list[str]:
    """Where we may, each command has a network of its own: the documents' ports may be taken here."""
    if os.geteuid() != 0 or available() is not None:
        return []
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The user's environment, with private places for sockets and logs; what a document that fails leaves running is
    taken down."""
    places = {name: str(tmp_path / name.lower()) for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    for place in places.values():
        Path(place).mkdir(mode=0o700)
    environ = {**os.environ, **places, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    yield environ
    if any(tmp_path.glob("xdg_runtime_dir/orchestra/*")):
        assert run("orchestra down --all --quiet", tmp_path, environ).returncode == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_yaml_block_is_valid(document: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    for name in write_files(document, tmp_path):
        done = run(f"orchestra validate {name}", tmp_path, environ)
        assert done.returncode == 0, done.stderr


@pytest.mark.timeout(180)  # dozens of commands, on a machine that may be busy
@pytest.mark.xdist_group("fixed-ports")
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_shown_runs(document: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    write_files(document, tmp_path)
    for body in blocks(document, "console"):
        for line in body.splitlines():
            assert line.startswith("$ orchestra "), f"{document.name}: {line}"
            wanted = re.search(r"# exit (\d+)$", line)
            done = run(line.removeprefix("$ "), tmp_path, environ)
            assert done.returncode == (int(wanted[1]) if wanted else 0), f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_shown_is_what_is_said(document: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    """A ``text`` block behind a ``console`` block is what its first command prints; ``…`` stands for lines left out."""
    write_files(document, tmp_path)
    for command, shown in SHOWN.findall(document.read_text()):
        said = [line.rstrip() for line in run(command, tmp_path, environ).stdout.splitlines()]
        assert [line for line in shown.splitlines() if line.strip() != "…" and line not in said] == [], command
        assert "…" in shown or shown.splitlines() == said


def anchors(document: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link, _, anchor in (link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text())):
        if not link.startswith("http"):
            place = document.parent / link if link else document
            assert place.exists(), link
            assert not anchor or anchor in anchors(place), f"{link}#{anchor}"
