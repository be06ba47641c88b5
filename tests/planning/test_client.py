"""Which client is here."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.planning import choose_client
from tests.planning.make import (
    client,
    topology,
)
from tests.planning.office import (
    HERE,
    NET,
)


def test_who_is_here() -> None:
    assert choose_client(topology(), None) == "localhost"
    assert choose_client(topology(HERE, NET), None) == "here"
    with pytest.raises(TopologyInvalid) as raised:
        choose_client(topology(HERE, client("b"), NET), None)
    assert raised.value.diagnostics[0].code is Code.AMBIGUOUS_CLIENT
    with pytest.raises(UsageError, match="no client 'nobody'"):
        choose_client(topology(HERE, NET), "nobody")
