"""A plan that is made in another process: the same, and said as if it had been made here."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from orchestra.cli.apart import made_apart
from orchestra.cli.console import Channel, Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Selection, Source
from orchestra.cli.starting import Refused, Starting, prepare
from orchestra.render.style import PLAIN
from tests.cli.instances import LAB, UNREACHABLE

LEFT_BEHIND = """
import sys
from orchestra.cli.apart import made_apart
from orchestra.cli.console import Console
from orchestra.cli.options import Selection, Source
from orchestra.cli.starting import Starting, prepare
source = Source(file=sys.argv[1])


def make(console, plugins):
    return prepare(console, source, Selection(), Starting(), plugins=plugins)

made_apart(Console.standard(), source, make)
print(*(name for name in ("asyncssh", "networkx", "yaml") if name in sys.modules))
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Whatever threads the tests before have left."""
    monkeypatch.setattr("orchestra.assembly.apart.can_fork", lambda: True)


@pytest.fixture
def console():
    return Console(Channel(io.StringIO(), PLAIN), Channel(io.StringIO(), PLAIN))


def source_of(tmp_path, text):
    (tmp_path / "office.yaml").write_text(text)
    return Source(file=str(tmp_path / "office.yaml"))


def made(console, source, starting=None, makers=None):
    def make(aside, plugins):
        if makers is not None:
            makers.append(os.getpid())
        return prepare(aside, source, Selection(), starting or Starting(), plugins=plugins)

    launch, _ = made_apart(console, source, make)
    return launch


def test_it_is_what_would_have_been_made_here(tmp_path, console):
    source, makers = source_of(tmp_path, LAB), []
    assert made(console, source, makers=makers) == prepare(console, source, Selection(), Starting())
    assert makers == []


def test_what_refuses_it_is_said_here(tmp_path, console):
    source = source_of(tmp_path, UNREACHABLE)
    with pytest.raises(Refused) as caught:
        made(console, source)
    assert caught.value.code is Exit.UNREACHABLE
    said = console.err.stream.getvalue()
    assert said.endswith("nothing was opened; --partial opens the tunnels that are reachable\n")

    here = Console(Channel(io.StringIO(), PLAIN), Channel(io.StringIO(), PLAIN))
    with pytest.raises(Refused):
        prepare(here, source, Selection(), Starting())
    assert said == here.err.stream.getvalue()


def test_a_file_that_is_wrong_is_said_once_with_its_code(tmp_path, console):
    with pytest.raises(Refused) as caught:
        made(console, source_of(tmp_path, "targets: ["))
    assert caught.value.code is Exit.USAGE
    assert console.err.stream.getvalue().count("error[YAML_SYNTAX]") == 1


def test_what_is_not_handed_over_is_made_here(tmp_path, console):
    source, here = source_of(tmp_path, UNREACHABLE), os.getpid()

    def make(aside, plugins):
        launch = prepare(aside, source, Selection(), Starting(partial=True), plugins=plugins)
        if os.getpid() != here:
            os._exit(1)
        return launch

    assert made_apart(console, source, make)[0].name == "office"
    assert console.err.stream.getvalue().count("FIREWALL_") == 1


def test_standard_input_is_read_by_nobody_else(tmp_path, console, monkeypatch):
    makers: list[int] = []
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LAB.encode())))
    assert made(console, Source(file="-"), makers=makers).name == "stdin"
    assert makers == [os.getpid()]


def test_what_only_plans_is_not_left_behind(tmp_path):
    command = [sys.executable, "-c", LEFT_BEHIND, source_of(tmp_path, LAB).file]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "asyncssh\n"
