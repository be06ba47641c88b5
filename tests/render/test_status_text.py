"""The status for people."""

import re
from dataclasses import replace
from textwrap import dedent

import pytest

from orchestra.model.status import TunnelStatus
from orchestra.render.status_text import listening, size, status_text
from orchestra.render.style import Style
from tests.render.statuses import STATUS


def test_a_line_for_everything_and_under_it_what_is_wrong():
    assert (
        status_text(STATUS, now=100.0)
        == dedent(
            """
            office · degraded · pid 4711 · /home/alice/office.yaml

              session  ✔ gateway  open
                       ↻ inner    retrying in 4 s, after 3 attempts
                                  CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused
                                  help: is sshd running on inner?
              tunnel   ✔ desk     ready              127.0.0.1:5920, [::1]:5920  1 connection, 1.2 MiB in, 310 B out
                       ✔ web      ready, not proven  127.0.0.1:80                optional
                       ✘ vault    failed
                                  CONNECT_REFUSED inner: gateway dials 10.20.0.7:22: connection refused
                                  help: is sshd running on inner?
                                  n
            """
        ).strip()
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.0 KiB"), (200_000_000, "190.7 MiB"), (10**15, "909.5 TiB")],
)
def test_sizes(number, text):
    assert size(number) == text


def test_colour_changes_no_letter():
    coloured = status_text(STATUS, Style(True), now=100.0)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == status_text(STATUS, now=100.0)


def test_an_address_at_a_server_stands_with_that_server():
    here = TunnelStatus(name="desk", state="ready", proven=True, listen=("127.0.0.1:5920", "[::1]:5920"))
    assert listening(here) == "127.0.0.1:5920, [::1]:5920"
    assert listening(replace(here, at="gateway")) == "gateway 127.0.0.1:5920, [::1]:5920"
    assert listening(replace(here, at="gateway", listen=())) == ""


def test_datagrams_and_what_became_of_them():
    counters = {"flows": 1, "flows_opened": 3, "datagrams_in": 40, "datagrams_out": 44, "dropped_queue": 3}
    dns = TunnelStatus(name="dns", state="ready", proven=True, counters=counters)
    shown = status_text(replace(STATUS, tunnels=(dns,)), now=100.0)
    assert "1 flow, 40 datagrams in, 44 out; dropped: 3 queue" in shown
    refused = replace(dns, counters={"flows_opened": 1, "refused": 2, "dropped_age": 1, "dropped_size": 2})
    shown = status_text(replace(STATUS, tunnels=(refused,)), now=100.0)
    assert "0 flows, 0 datagrams in, 0 out, 2 refused; dropped: 1 age, 2 size" in shown


def test_a_path_is_shown_when_it_is_not_the_planned_one():
    wiki = TunnelStatus(name="wiki", state="ready", proven=True, path=("laptop", "bastion-b"))
    line = "by another path than planned: laptop → bastion-b"
    assert line not in status_text(replace(STATUS, tunnels=(wiki,)), now=100.0)
    assert line in status_text(replace(STATUS, tunnels=(replace(wiki, failed_over=True),)), now=100.0)


def test_where_its_page_is():
    heading = status_text(replace(STATUS, http="http://127.0.0.1:9090/"), now=100.0).splitlines()[0]
    assert heading.endswith("/home/alice/office.yaml · http://127.0.0.1:9090/")
