"""Errors carry what a person needs, and survive copying between processes."""

import copy
import pickle

from orchestra.diagnostics import Code, Diagnostic
from orchestra.errors import TopologyInvalid
from orchestra.session.errors import DialRefused


def test_a_failure_keeps_its_fields_when_copied() -> None:
    error = DialRefused(Code.CONNECT_REFUSED, "refused", host="gateway", suggestion="start it")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own bytes
        assert type(twin) is DialRefused
        assert (twin.code, twin.message, twin.host, twin.suggestion, str(twin)) == (
            Code.CONNECT_REFUSED,
            "refused",
            "gateway",
            "start it",
            "refused",
        )


def test_an_invalid_topology_counts_its_errors() -> None:
    bad = Diagnostic(code=Code.BAD_VALUE, severity="error", message="m")
    note = Diagnostic(code=Code.LISTEN_ANY_PORT, severity="info", message="m")
    assert str(TopologyInvalid((bad, note))) == "1 problem in the topology"
    assert str(TopologyInvalid((bad, bad))) == "2 problems in the topology"
