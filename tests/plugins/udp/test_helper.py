"""The texts that are sent, and the commands that read them."""

from __future__ import annotations

import ast
import shlex
import subprocess

import pytest
from orchestra_plugins.udp.helper import BROKEN, MISSING, Tier, perl, python

from tests.plugins.udp.rig import tiers

NONCE = bytes(range(16))


def test_the_python_helper_keeps_to_the_syntax_of_3_6() -> None:
    text = python(NONCE, 65536)
    ast.parse(text, feature_version=(3, 6))
    tree = ast.parse(text)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign | ast.NamedExpr)]
    assert {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} <= {
        "errno",
        "os",
        "select",
        "socket",
        "struct",
        "sys",
        "threading",
        "time",
    }
    assert len(text) < 32 * 1024


def test_the_perl_helper_compiles_without_a_warning() -> None:
    done = subprocess.run(["perl", "-c", "-"], input=perl(NONCE, 65536), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"- syntax OK\n")


def test_the_perl_helper_uses_nothing_that_perl_base_lacks() -> None:
    used = {line.split()[1].rstrip(";") for line in perl(NONCE, 1).decode().splitlines() if line.startswith("use ")}
    assert used == {"strict", "warnings", "Errno", "Fcntl", "POSIX", "Socket"}


@tiers
@pytest.mark.parametrize("shell", ["/bin/sh", "bash", "zsh", "fish"])
def test_a_missing_interpreter_has_a_status_of_its_own_in_every_shell(tier: Tier, shell: str) -> None:
    command = Tier("no-such-language", tier.loader, tier.text).command(10)
    done = subprocess.run([shell, "-c", command], input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (MISSING, b"")


@tiers
def test_nothing_secret_is_among_the_arguments(tier: Tier) -> None:
    assert NONCE.hex() not in tier.command(len(tier.text(NONCE, 1)))
    assert len(shlex.split(tier.command(99999))) == 4


@tiers
def test_what_cannot_be_run_ends_with_a_status_and_says_why(tier: Tier) -> None:
    broken = b"this is (no program\n"
    done = subprocess.run(["/bin/sh", "-c", tier.command(len(broken))], input=broken, capture_output=True, check=False)
    assert done.returncode in (1, BROKEN)
    assert b"yntax" in done.stderr or b"no program" in done.stderr
