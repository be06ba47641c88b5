"""``orchestra import``: from a file, from standard input, from a command."""

from __future__ import annotations

import io
import sys

from orchestra.cli.exits import Exit

COMMAND = "ssh -J jump.example -L 5432:db:5432 inner.example"


def test_a_command_after_two_hyphens_and_back_into_a_plan(run_cli):
    ran = run_cli("import", "ssh", "--", *COMMAND.split())
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert '  db-5432: {listen: "localhost:5432"}' in ran.out
    planned = run_cli("plan", "f.yaml", files={"f.yaml": ran.out})
    assert planned.code == Exit.DONE
    assert "inner.example  dials db:5432" in planned.out


def test_a_file_and_standard_input(run_cli, monkeypatch):
    from_file = run_cli("import", "ssh", "tunnels.sh", files={"tunnels.sh": COMMAND})
    assert from_file.out.startswith("# From tunnels.sh.")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(COMMAND.encode())))
    assert run_cli("import", "ssh", "-").out == from_file.out.replace("tunnels.sh", "<stdin>")


def test_the_formats_own_file(run_cli, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    ran = run_cli("import", "ssh-config", files={".ssh/config": "Host gw\n  LocalForward 1 db:2\n"})
    assert ran.code == Exit.DONE
    assert ran.out.startswith("# From ~/.ssh/config.")


def test_mistakes_are_shown_where_they_are(run_cli):
    text = run_cli("import", "ssh", "t.sh", files={"t.sh": "# mine\nssh x -L nonsense\n"})
    assert (text.code, text.out) == (Exit.USAGE, "")
    assert "t.sh:2:1: error[BAD_VALUE] 'nonsense' is no forward" in text.err
    assert "  2 | ssh x -L nonsense" in text.err
    option = run_cli("import", "ssh-config", "c", "--set", "hosts=5", files={"c": "Host a\n"})
    assert "--set:1:8: error[BAD_TYPE] a list is needed here" in option.err
    assert "  1 | hosts: 5" in option.err


def test_what_cannot_be_asked_for(run_cli):
    for arguments, why in (
        (("shh", "f"), "there is no importer 'shh'; did you mean 'ssh'?"),
        (("ssh",), "give a FILE, or a command after --"),
        (("ssh", "f", "--", "ssh", "x"), "give a FILE, or a command after --"),
        (("ssh", "none"), "none cannot be read: No such file or directory"),
    ):
        ran = run_cli("import", *arguments)
        assert ran.code == Exit.USAGE
        assert why in ran.err


def test_what_does_not_load_is_printed_and_said(run_cli):
    plugin = """
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import Imported
from orchestra.plugin.vocabulary import ImporterSpec

class Mine:
    spec = ImporterSpec(name="mine", default="own.py")
    def read(self, request):
        return Imported(document={"sever": {}})

@hookimpl
def orchestra_importers():
    return [Mine()]
"""
    ran = run_cli("import", "mine", "--plugin", "own.py", files={"own.py": plugin})
    assert (ran.code, ran.out) == (Exit.FAILED, "sever: {}\n")
    assert "unknown key 'sever'" in ran.err


def test_what_windows_exports_is_utf_16(run_cli, tmp_path):
    text = '[HKEY_CURRENT_USER\\Software\\SimonTatham\\PuTTY\\Sessions\\a]\r\n"HostName"="a.example"\r\n'
    (tmp_path / "putty.reg").write_bytes(text.encode("utf-16"))
    ran = run_cli("import", "putty", "putty.reg")
    assert ran.code == Exit.DONE
    assert "  a.example: a.example\n" in ran.out
