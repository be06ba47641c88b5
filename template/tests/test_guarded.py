"""The kind and the check keep all promises that orchestra makes, and strangers are turned away."""

import orchestra_guarded
import pytest

from orchestra.session.errors import DialRefused
from orchestra.testing import Workbench, checks, kinds, run_virtual, targets

LOCAL = "kind: guarded, guarded: {allow: [127.0.0.0/8]}"
TEXT = """
servers: {gateway: gateway.example}
targets: {wiki: "wiki.example:80"}
tunnels: {wiki: {listen: "127.0.0.1:8080", kind: guarded, guarded: {allow: [10.0.0.0/8]}}}
"""


@pytest.mark.parametrize("rule", kinds.RULES, ids=lambda rule: rule.__name__)
def test_it_is_a_kind(rule):
    kinds.hold(rule, kinds.Subject(orchestra_guarded, LOCAL))


@pytest.mark.parametrize("rule", checks.RULES, ids=lambda rule: rule.__name__)
def test_it_is_a_check(rule):
    checks.hold(rule, checks.Subject(orchestra_guarded.GuardedCheck(), targets.Script, listens=False))


def test_strangers_are_turned_away():
    async def main():
        bench = Workbench(TEXT, orchestra_guarded)
        async with bench.running():
            await bench.until("wiki", "ready")
            with pytest.raises(DialRefused):
                await bench.connect("wiki")

    run_virtual(main())


def test_mistakes_have_their_place():
    with pytest.raises(ValueError, match=r":4:\d+: BAD_VALUE: .*does not appear to be an IPv4 or IPv6 network"):
        Workbench(TEXT.replace("10.0.0.0/8", "10.0.0.0/40"), orchestra_guarded)
