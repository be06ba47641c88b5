"""Which client is here."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.planning import choose_client
from tests.planning.make import client, topology
from tests.planning.office import HERE, NET


def test_who_is_here() -> None:
    assert choose_client(topology(), None) == "localhost"
    assert choose_client(topology(HERE, NET), None) == "here"
    with pytest.raises(TopologyInvalid) as raised:
        choose_client(topology(HERE, client("b"), NET), None)
    assert raised.value.diagnostics[0].code is Code.AMBIGUOUS_CLIENT
    with pytest.raises(UsageError, match="no client 'nobody'"):
        choose_client(topology(HERE, NET), "nobody")


def test_localhost_is_a_client_of_files_without_any() -> None:
    assert choose_client(topology(), "localhost") == "localhost"
    with pytest.raises(UsageError, match="its clients are here"):
        choose_client(topology(HERE, NET), "localhost")


def test_it_is_said_how_to_choose() -> None:
    with pytest.raises(TopologyInvalid) as raised:
        choose_client(topology(HERE, client("b"), NET), None)
    [problem] = raised.value.diagnostics
    assert "(b, here)" in problem.message
    assert problem.suggestion == "give --client b, or set ORCHESTRA_CLIENT"
