"""Completion, by the shells themselves."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.cli.conftest import Ran
from tests.cli.instances import Home

FILE = """\
include: [common.yaml]
servers: {gateway: g.example, bastion: b.example}
targets: {db: "db.internal:5432", cache: "cache.internal:6379"}
tunnels: {reports: {to: db, profiles: [night, weekend]}, desk: {to: cache, profiles: night}}
broken: [
"""
COMMON = "clients: {laptop: }\ntargets: {files: 'files.internal:445'}\n"


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


BASH = """\
source <(orchestra completion bash)
COMP_WORDS=({words}) COMP_CWORD={last}
_orchestra orchestra
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """\
compdef() {{ : }}
_arguments() {{ print -r -- "$@" }}
_files() {{ print FILES }}
source <(orchestra completion zsh)
words=({words}) CURRENT={count}
_orchestra
"""
FISH = """\
orchestra completion fish | source
complete -C {line}
"""


def ask(home: Home, shell: str, script: str, *words: str) -> str:
    """What the shell would offer for the last of these words."""
    quoted = " ".join(map(shlex.quote, words))
    text = script.format(words=quoted, last=len(words) - 1, count=len(words), line=shlex.quote(" ".join(words)))
    folder = home.path / "bin"
    if not folder.exists():
        folder.mkdir()
        (folder / "orchestra").write_text(f'#!/bin/sh\nexec {sys.executable} -m orchestra "$@"\n')
        (folder / "orchestra").chmod(0o755)
    done = subprocess.run(
        [shell, "-c", text],
        cwd=home.path,
        env=home.environ | {"PATH": f"{folder}:{home.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def office(home: Home) -> Home:
    home.write(FILE)
    home.write(COMMON, "common.yaml")
    home.write(FILE.replace("broken: [\n", "").replace("[common.yaml]", "[]"), "orchestra.yaml")
    return home


@needs("bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["orchestra", "do"], ["down"]),
        (["orchestra", "up", "--fail"], ["--fail-fast"]),
        (["orchestra", "up", "-t", "re"], ["reports"]),
        (["orchestra", "run", "orchestra.yaml", "--profile", ""], ["night", "weekend"]),
        (["orchestra", "up", "common.yaml", "-t", ""], ["files"]),
        (["orchestra", "impact", "--file=common.yaml", "--without", "l"], ["laptop"]),
        (["orchestra", "connect", "c"], ["cache"]),
        (["orchestra", "connect", "--exit", ""], ["gateway", "bastion"]),
        (["orchestra", "connect", "-f", "orchestra.yaml", "--exit", "g"], ["gateway"]),
        (["orchestra", "import", "ssh-"], ["ssh-config"]),
        (["orchestra", "import", "ssh-config", "--set", "h"], ["hosts="]),
        (["orchestra", "export", ""], ["ssh"]),
        (["orchestra", "export", "ssh", "orchestra.yaml", "--set", ""], ["background="]),
        (["orchestra", "import", "putty", "--set", ""], []),
        (["orchestra", "up", ""], []),
        (["orchestra", "up", "-f", "nothing.yaml", "-t", ""], []),
    ],
)
def test_bash(office: Home, words: list[str], offered: list[str]) -> None:
    assert ask(office, "bash", BASH, *words).split() == offered


@needs("zsh")
def test_zsh(office: Home) -> None:
    assert ask(office, "zsh", ZSH, "orchestra", "up", "-t", "") == '*: :(("reports"\n"desk"))\n'
    assert '"down":"Take it down' in ask(office, "zsh", ZSH, "orchestra", "do")


@needs("fish")
def test_fish(office: Home) -> None:
    assert ask(office, "fish", FISH, "orchestra", "up", "-t", "").split() == ["desk", "reports"]


def test_what_runs_is_offered(ready: Callable[..., Ran], ready_home: Home) -> None:
    assert ask(ready_home, "bash", BASH, "orchestra", "down", "o").split() == ["office"]


def test_what_it_completes_is_not_what_it_runs(office: Home) -> None:
    """A file that would wait for an answer, and variables that are not set."""
    office.write(
        "servers: {a: {ssh: {password: {command: [touch, ran]}}}}\ntunnels: {x: {to: '${UNSET}'}}", "orchestra.yaml"
    )
    assert ask(office, "bash", BASH, "orchestra", "up", "-t", "").split() == ["x"]
    assert not (office.path / "ran").exists()


def test_a_shell_that_it_does_not_know(cli: Callable[..., Ran]) -> None:
    assert cli("completion", "tcsh").code == 2
