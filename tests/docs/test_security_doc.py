"""The security page speaks of codes, policies, options, commands and files that there are."""

import re
from pathlib import Path
from typing import get_args

from orchestra.cli.app import COMMANDS
from orchestra.diagnostics import Code
from orchestra.engine.ssh.knownhosts import usual_files
from orchestra.engine.ssh.trust import SMALLEST_RSA
from orchestra.loading.sshconfig.keywords import KEYWORDS
from orchestra.model.topology import HostKeyPolicy, SshSettings
from tests.docs.test_documents import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
MARKED = re.findall(r"`([^`\n]+)`", TEXT)


def test_codes() -> None:
    codes = {word for word in MARKED if re.fullmatch(r"[A-Z]+_[A-Z_]+", word)}
    assert codes - {"SSH_ASKPASS", "LD_PRELOAD", "GIT_SSH_COMMAND"} <= {code.value for code in Code}
    assert {"HOST_KEY_CHANGED", "HOST_KEY_REVOKED", "HOST_CERTIFICATE_INVALID"} <= codes


def test_policies() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted(get_args(HostKeyPolicy))


def test_commands_and_options(capsys) -> None:  # type: ignore[no-untyped-def]
    from orchestra.cli import main

    names = set(COMMANDS)
    assert {"validate", "plan", "explain", "graph", "authorize", "up", "run", "connect", "trust"} <= names
    main(["up", "--help"])
    shown = capsys.readouterr().out
    for option in {word for word in MARKED if word.startswith("--")}:
        assert option in shown, option


def test_keywords_of_ssh_config() -> None:
    words = (
        "KnownHostsCommand HostKeyAlgorithms HashKnownHosts RequiredRSASize RevokedHostKeys ProxyCommand LocalCommand"
    )
    for word in f"{words} PKCS11Provider UserKnownHostsFile".split():
        assert word in TEXT
        assert KEYWORDS[word.lower()].name == word


def test_files_and_figures() -> None:
    files = [Path(file).name for file in usual_files(SshSettings())]
    assert files == ["known_hosts", "known_hosts2", "ssh_known_hosts", "ssh_known_hosts2"]
    assert f"RequiredRSASize ({SMALLEST_RSA})" in TEXT
