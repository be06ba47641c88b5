"""``orchestra export``: the plan in another format, and what could not be planned."""

from __future__ import annotations

from orchestra.cli.exits import Exit

OFFICE = 'servers: {b: ci@b.example}\ntargets: {db: "db:5432"}\n'


def test_the_commands_of_ssh(run_cli):
    ran = run_cli("export", "ssh", "f.yaml", files={"f.yaml": OFFICE})
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert ran.out.endswith("# db\nssh -N -o ExitOnForwardFailure=yes -L localhost:5432:db:5432 ci@b.example\n")


def test_its_options_and_its_tunnels(run_cli):
    ran = run_cli("export", "ssh", "f.yaml", "--set", "background=yes", "-t", "db", files={"f.yaml": OFFICE})
    assert "\nssh -f -N " in ran.out
    wrong = run_cli("export", "ssh", "f.yaml", "--set", "backgrund=yes")
    assert wrong.code == Exit.USAGE
    assert "did you mean 'background'?" in wrong.err


def test_what_is_unreachable_is_a_comment_and_an_exit_code(run_cli):
    text = "networks: {a: 10.0.0.0/24}\nclients: {c: }\ntargets: {db: {networks: {a: 10.0.0.1}, address: 1}}\n"
    ran = run_cli("export", "ssh", "f.yaml", files={"f.yaml": text})
    assert ran.code == Exit.UNREACHABLE
    assert "# db: unreachable" in ran.out


def test_a_format_that_nobody_knows(run_cli):
    ran = run_cli("export", "shh", "f.yaml", files={"f.yaml": OFFICE})
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "there is no exporter 'shh'; did you mean 'ssh'?" in ran.err
