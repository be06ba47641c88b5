"""The options of ``up``, used again."""

from __future__ import annotations

import json

import pytest

from orchestra.assembly.reading import Wish
from orchestra.cli.options import Selection, Source
from orchestra.cli.reloading import options, read_apart, reader
from orchestra.cli.starting import Starting
from tests.cli.instances import ONE, TWO


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "office.yaml"


def read_of(**starting):
    return reader(Source(file="office.yaml"), Selection(), Starting(**starting), "office")


def test_the_file_is_read_as_it_is_now(here):
    here.write_text(ONE)
    read = read_of()
    first = read(Wish())
    assert (first.code, first.said) == (0, "")
    assert [t.name for t in first.launch.plan.tunnels] == ["db"]
    here.write_text(TWO)
    assert [t.name for t in read(Wish()).launch.plan.tunnels] == ["db", "web"]


def test_what_is_wrong_is_said_as_asked_for(here):
    here.write_text("targets: [")
    read = read_of()
    plain, coloured = read(Wish()), read(Wish(colour=True))
    assert (plain.launch, plain.code) == (None, 2)
    assert plain.said.startswith("office.yaml:2:1: error[YAML_SYNTAX]")
    assert "\x1b[" in coloured.said


def test_other_options_travel_as_a_document_and_mean_the_same_elsewhere(here, tmp_path, monkeypatch):
    here.write_text(TWO)
    given = json.loads(json.dumps(options(Source(file="office.yaml"), Selection(tunnels=["web"]), Starting())))
    read = read_of()
    monkeypatch.chdir("/")
    reading = read(Wish(options=given))
    assert [t.name for t in reading.launch.plan.tunnels] == ["web"]
    assert reading.launch.topology.file == str(here)


def test_in_a_process_of_its_own_it_is_the_same(here):
    here.write_text(TWO)
    read = read_of()
    assert read_apart(read)(Wish(without="db")) == read(Wish(without="db"))
    here.write_text("targets: [")
    assert read_apart(read)(Wish()) == read(Wish())


def test_standard_input_cannot_be_read_again():
    reading = reader(Source(file="-"), Selection(), Starting(), "stdin")(Wish())
    assert (reading.launch, reading.code) == (None, 2)
    assert "cannot be read again" in reading.said


def test_tunnels_besides_and_without(here):
    here.write_text(ONE)
    reading = read_of()(Wish(additions={"x": "tunnels: {x: {to: web, listen: auto}}"}, without="db"))
    assert [t.name for t in reading.launch.plan.tunnels] == ["x"]
