"""A proxy is proven by a dial of its exit's."""

from __future__ import annotations

import pytest
from orchestra_plugins import socks

from orchestra.diagnostics import Code
from orchestra.engine import builtin
from orchestra.errors import RuntimeFailure
from orchestra.loading import load
from orchestra.model.topology import CheckRef
from orchestra.plugin.manager import load_plugins
from orchestra.testing import Collector, MemoryNetwork, run_virtual
from orchestra.testing.checks import Dialing

VOCABULARY = load_plugins([socks, builtin], entry_points=False).vocabulary


def proven(to: str, *, hole: bool = False) -> RuntimeFailure | None:
    async def scene() -> RuntimeFailure | None:
        network = MemoryNetwork()
        gateway, wiki = network.place("gateway"), network.place("wiki")
        if hole:
            network.black_holes.add(("wiki", 443))

        async def accept(_peer: object) -> Collector:
            return Collector()

        await wiki.create_server(accept, "*", 443)
        (check,) = socks.orchestra_checks()
        context = Dialing(gateway, CheckRef(type="dial", timeout=2.0, options={"to": to}))
        try:
            await check.run(context)
        except RuntimeFailure as failure:
            return failure
        assert gateway.dialed == [to]
        assert not gateway.streams
        return None

    return run_virtual(scene())


def test_a_dial_that_succeeds_proves_it() -> None:
    assert proven("wiki:443") is None


@pytest.mark.parametrize(
    ("to", "hole", "code"),
    [
        ("wiki:80", False, Code.CONNECT_REFUSED),
        ("nobody:443", False, Code.NAME_UNRESOLVED),
        ("wiki:443", True, Code.CHECK_FAILED),
    ],
)
def test_one_that_does_not_is_said(to: str, hole: bool, code: Code) -> None:
    failure = proven(to, hole=hole)
    assert failure is not None
    assert failure.code is code
    assert to.partition(":")[0] in str(failure)


@pytest.mark.parametrize(
    ("check", "codes"),
    [
        ('{type: dial, to: "wiki:443"}', []),
        ('{type: dial, to: "10.20.0.30:443", every: 1m}', []),
        ("dial", ["MISSING_KEY"]),
        ("{type: dial, to: wiki}", ["BAD_ADDRESS"]),
        ("{type: dial, to: unix:/x}", ["BAD_ADDRESS"]),
        ("tcp", ["KIND_CANNOT"]),
    ],
)
def test_what_a_file_may_say(check: str, codes: list[str]) -> None:
    text = f"clients: {{me: }}\nservers: {{gw: gw.example}}\ntunnels:\n  p: {{kind: socks, exit: gw, check: {check}}}\n"
    loaded = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text)
    assert [str(each.code) for each in loaded.diagnostics] == codes
