"""How commands plug in: bundles become options, results become exit codes, heavy imports wait."""

import os
import subprocess
import sys
from typing import Annotated

import pytest
import typer

from orchestra.cli.app import COMMANDS, build
from orchestra.cli.console import Console
from orchestra.cli.options import CommandLine, Extra, Format, Output, Selection, Source

HEAVY = {
    *("asyncio", "asyncssh", "networkx", "pydantic", "aiohttp", "yaml", "rich"),
    *(f"orchestra.{layer}" for layer in ("engine", "graph", "loading", "planning")),
    *(f"orchestra.lab.{part}" for part in ("interface", "embedded", "netns")),
}


def call(command, *argv):
    """What a command's exit code is when it is the only one."""
    with pytest.raises(SystemExit) as caught:
        build((("do", command), ("other", command)))(["do", *argv])
    return caught.value.code


def test_bundles_are_spread_into_options_and_put_together_again():
    seen = []

    def command(console: Console, source: Source, selection: Selection, output: Output = Format.TEXT) -> int:
        """Do it."""
        seen.append((source, selection, output, console.quiet, console.verbosity))
        return 7

    assert call(command, "a.yaml", "-f", "b.yaml", "-t", "x", "-t", "y", "-o", "json", "-q", "-vv") == 7
    expected = Source(file="a.yaml", files=["b.yaml"]), Selection(tunnels=["x", "y"]), Format.JSON, True, 2
    assert seen == [expected]


def test_two_runs_share_no_defaults():
    seen = []

    def command(console: Console, extra: Extra) -> int:
        """Do it."""
        seen.append(extra.plugins)
        extra.plugins.append("left over")
        return 0

    app = build((("do", command), ("other", command)))
    for _ in range(2):
        with pytest.raises(SystemExit):
            app(["do"])
    assert seen[1] is not seen[0]


@pytest.mark.parametrize(
    ("argv", "file", "command"),
    [
        (("--", "psql", "-c", "x"), None, ["psql", "-c", "x"]),
        (("db.yaml", "--", "sh", "--", "-q"), "db.yaml", ["sh", "--", "-q"]),
        (("db.yaml",), "db.yaml", []),
    ],
)
def test_what_follows_dashes_is_the_command(argv, file, command):
    seen = []

    def run(console: Console, source: Source, command: CommandLine) -> int:
        """Run it."""
        seen.append((source.file, command))
        return 0

    assert call(run, *argv) == 0
    assert seen == [(file, command)]


def test_a_command_that_runs_another_says_so_in_its_usage(capsys):
    def run(console: Console, source: Source, command: CommandLine) -> int:
        """Run it."""
        return 0

    assert call(run, "--help") == 0
    assert "[FILE] -- COMMAND..." in capsys.readouterr().out


def test_parameters_of_its_own_stay_as_they_are():
    def command(console: Console, name: Annotated[str, typer.Argument()] = "desk") -> int:
        """Do it."""
        return len(name)

    assert call(command) == 4
    assert call(command, "x") == 1


@pytest.mark.parametrize(
    ("calls", "heavy"),
    [
        ([["--help"]], HEAVY),
        ([["version"], *([name, "--help"] for name in COMMANDS)], HEAVY),
    ],
    ids=["help", "help of every command"],
)
def test_help_and_version_import_nothing_heavy(calls, heavy):
    script = f"""if True:
        import sys
        from orchestra.cli import main
        codes = [main(argv) for argv in {calls!r}]
        found = [name for name in {sorted(heavy)!r} if name in sys.modules]
        sys.exit(f'exit {{codes}}, imported {{found}}' if any(codes) or found else 0)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("orchestra") >= len(calls)


def test_the_program_ends_without_looking_for_garbage():
    script = """if True:
        import gc, sys
        from orchestra.cli import main
        sys.argv[1:] = ["version"]
        code = main()
        sys.exit(f"exit {code}, would look through" if code or len(gc.get_objects()) > gc.get_freeze_count() else 0)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


OPENING = {
    *("asyncio", "ssl", "asyncssh", "aiohttp", "prometheus_client", "rich", "xml", "html", "networkx", "numpy"),
    *("orchestra.session.conversation", "orchestra.session.here", "orchestra.engine.shell", "orchestra.engine.core"),
    *("orchestra.control", "orchestra.lab.interface", "orchestra.loading.schema", "orchestra.loading.writing"),
    *("orchestra.planning.impact", "orchestra.planning.authorize", "orchestra.planning.changes"),
    *("orchestra_plugins.udp.kind", "orchestra_plugins.socks.serving", "orchestra_plugins.sshcommands.commands"),
    *("orchestra_plugins.checks.http", "orchestra_plugins.keyring_secret.fields"),
}
"""What opens sessions and serves tunnels, what other commands do, and libraries that take long to load."""
SMALL = "servers: {gw: gw.example}\ntargets: {db: 'db:5432'}\n"
EXPECTING = SMALL + "expect: [{from: localhost, to: db, verdict: reachable}]\n"


@pytest.mark.parametrize(
    ("argv", "text", "heavy"),
    [
        (["plan"], SMALL, OPENING | {"orchestra.planning.explaining.explain"}),
        (["plan"], EXPECTING, OPENING),
        (["plan", "-o", "json"], SMALL, OPENING | {"orchestra.render.plan_text"}),
        (["validate"], SMALL, OPENING),
        (["explain"], SMALL, OPENING),
        (["status"], "", HEAVY),
        (["ls"], "", HEAVY),
    ],
    ids=["plan", "plan of what expects", "plan as json", "validate", "explain", "status", "ls"],
)
def test_a_command_imports_what_it_needs(argv, text, heavy, tmp_path):
    """Of a topology over ssh alone: no plugin's work, nothing that opens; what explains, where that is due."""
    file = tmp_path / "f.yaml"
    file.write_text(text)
    given = [*argv, *([str(file)] if text else []), *(["localhost", "db"] if argv == ["explain"] else [])]
    script = f"""if True:
        import sys
        from orchestra.cli import main
        code = main({given!r})
        print(code, *(name for name in {sorted(heavy)!r} if name in sys.modules), file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.stderr.splitlines()[-1] == ("5" if argv == ["status"] else "0")


def test_every_command_has_its_line_uncut(run_cli):
    lines = run_cli("--help").out.split("Commands:")[1].strip().splitlines()
    assert {line.split()[0] for line in lines} >= set(COMMANDS)
    assert not [line for line in lines if line.endswith("...")]
