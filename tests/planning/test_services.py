"""What is dialed, and who may dial what no network leads to."""

from __future__ import annotations

from orchestra.diagnostics import Code
from tests.planning.make import (
    server,
    target,
    tunnel,
)
from tests.planning.office import (
    codes,
    dialed,
    only,
    plan,
)


def test_a_target_behind_a_host_is_dialed_by_it() -> None:
    things = (server("x", ssh_host="x"), server("y", ssh_host="y"))
    assert dialed(only(*things, target("db", "db:5432", behind=("y",)))) == "y dials db:5432 = db"


def test_with_several_servers_the_file_must_say() -> None:
    things = (server("x", ssh_host="x"), server("y", ssh_host="y"), target("db", "db:5432"))
    assert codes(plan(*things)) == {Code.AMBIGUOUS_EXIT}
    assert dialed(only(*things, tunnel("db", exit="y"))) == "y dials db:5432 = db"
    assert dialed(only(*things, tunnel("db", via=("x",)))) == "x dials db:5432 = db"


def test_without_a_server_here_dials() -> None:
    assert dialed(only(target("db", "db:5432"))) == "localhost dials db:5432 = db"
