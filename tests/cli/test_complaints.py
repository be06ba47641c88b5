"""Complaints are a line each; nobody is shown a traceback who did not ask for one."""

import io
import logging

import pytest

from orchestra.cli.complaints import complaints
from orchestra.cli.console import Channel, Console
from orchestra.render.style import PLAIN


def complain(verbosity: int = 0) -> str:
    err = io.StringIO()
    console = Console(Channel(io.StringIO(), PLAIN), Channel(err, PLAIN), verbosity=verbosity)
    with complaints(console):
        logging.getLogger("asyncio").warning("socket.send() raised exception.")
        try:
            raise ValueError("oops\x1b[2J")
        except ValueError:
            logging.getLogger("orchestra.assembly.observers").exception("an observer failed")
    return err.getvalue()


def test_a_complaint_is_one_clean_line() -> None:
    assert complain() == "! an observer failed: ValueError: oops·[2J\n"


def test_who_asks_twice_sees_where_it_came_from() -> None:
    assert "Traceback (most recent call last)" in complain(verbosity=2)


@pytest.mark.parametrize("name", ["orchestra", "asyncio"])
def test_nothing_stays_behind(name: str) -> None:
    before = list(logging.getLogger(name).handlers)
    complain()
    assert logging.getLogger(name).handlers == before
