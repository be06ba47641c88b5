"""``orchestra graph``: pictures on standard output or in a file."""

import io
import json
import sys

import pytest

from orchestra.cli.console import Channel, Console
from orchestra.cli.exits import Exit
from orchestra.cli.graph import graph
from orchestra.cli.options import Selection, Source
from orchestra.render.style import Style
from tests.cli.test_plan import DENIED, OFFICE

FILES = {"office.yaml": OFFICE}


@pytest.mark.parametrize(
    ("form", "start"),
    [("svg", "<svg "), ("html", "<!DOCTYPE html>"), ("mermaid", "flowchart LR"), ("dot", 'digraph "office" {')],
)
def test_forms(run_cli, form, start):
    ran = run_cli("graph", "office.yaml", "-o", form, files=FILES)
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert ran.out.startswith(start)
    assert "desk-vnc" in ran.out


def test_without_a_form_it_is_svg(run_cli):
    assert run_cli("graph", "office.yaml", files=FILES).out.startswith("<svg ")


@pytest.mark.parametrize(
    ("name", "start"), [("p.svg", "<svg"), ("p.HTML", "<!"), ("p.mmd", "flow"), ("p.gv", "digraph")]
)
def test_the_name_of_the_file_says_the_form(run_cli, tmp_path, name, start):
    ran = run_cli("graph", "office.yaml", "--output-file", name, files=FILES)
    assert (ran.code, ran.out, ran.err) == (Exit.DONE, "", "")
    assert (tmp_path / name).read_text().startswith(start)


def test_a_name_that_says_nothing(run_cli):
    ran = run_cli("graph", "office.yaml", "-O", "picture", files=FILES)
    assert ran.code == Exit.USAGE
    assert "write -o svg, html, mermaid or dot" in ran.err
    assert run_cli("graph", "office.yaml", "-O", "picture", "-o", "dot").code == Exit.DONE


def test_a_file_that_cannot_be_written(run_cli):
    ran = run_cli("graph", "office.yaml", "-O", "no/where.svg", files=FILES)
    assert ran.code == Exit.FAILED
    assert ran.err == "error: cannot write no/where.svg: No such file or directory\n"


def test_only_the_tunnels_that_are_named(run_cli):
    text = 'servers: {b: b.example}\ntargets: {x: "x:1000", y: "y:2000"}\n'
    assert '"y:2000"' not in run_cli("graph", "f.yaml", "-o", "dot", "-t", "x", files={"f.yaml": text}).out
    assert run_cli("graph", "f.yaml", "-t", "z").code == Exit.USAGE


def test_bare_is_what_is_where(run_cli):
    ran = run_cli("graph", "office.yaml", "-o", "mermaid", "--bare", files=FILES)
    assert "gateway" in ran.out
    assert "==>" not in ran.out


@pytest.mark.parametrize("more", [("-t", "desk"), ("--profile", "x"), ("--explain", "laptop", "desk-vnc")])
def test_what_excludes_each_other(run_cli, more):
    ran = run_cli("graph", "office.yaml", "--bare", *more, files=FILES)
    assert ran.code == Exit.USAGE
    assert "exclude each other" in ran.err


def test_the_answer_of_an_explanation(run_cli):
    ran = run_cli(
        "graph", "office.yaml", "--explain", "laptop", "desk-vnc:22", "-o", "dot", files={"office.yaml": DENIED}
    )
    assert ran.code == Exit.DONE
    assert ran.out.startswith('digraph "laptop → desk-vnc:22" {')
    assert "✘" in ran.out
    unknown = run_cli("graph", "office.yaml", "--explain", "laptpo", "desk-vnc")
    assert unknown.code == Exit.USAGE
    assert "laptop" in unknown.err


def test_what_is_blocked_is_a_picture_too(run_cli):
    ran = run_cli("graph", "office.yaml", files={"office.yaml": DENIED})
    assert ran.code == Exit.DONE
    assert "✘" in ran.out
    assert json.loads(run_cli("plan", "office.yaml", "-o", "json").out)["tunnels"][0]["verdict"] == "unreachable"


def test_a_file_that_cannot_be_used_has_no_picture(run_cli):
    ran = run_cli("graph", "f.yaml", files={"f.yaml": "sever: {}\n"})
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "error[UNKNOWN_KEY]" in ran.err


def test_without_the_layout_library(run_cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "graphlay", None)
    ran = run_cli("graph", "office.yaml", files=FILES)
    assert (ran.code, ran.out) == (Exit.FAILED, "")
    assert "pip install 'orchestra-tunnels[pictures]'" in ran.err
    assert run_cli("graph", "office.yaml", "-o", "mermaid").code == Exit.DONE
    assert run_cli("graph", "office.yaml", "-o", "dot").code == Exit.DONE


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def test_at_a_terminal_it_says_where_a_picture_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "office.yaml").write_text(OFFICE)
    source = Source(file=str(tmp_path / "office.yaml"))
    out, err = Screen(), io.StringIO()
    assert graph(Console(Channel(out, Style()), Channel(err, Style())), source, Selection()) == Exit.DONE
    assert out.getvalue().startswith("<svg ")
    assert err.getvalue() == "to look at it, write it to a file: -O office.svg\n"
