"""Sessions over a real sshd pass the suite that all sessions pass, directly and through another session."""

import pytest

from orchestra.testing.sessions import RULES

from .sshd import Arenas, Keys, arena_over_ssh, needs_sshd

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def arenas():
    made = Arenas()
    yield made
    made.close()


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_sshd(rule, hops, keys, arenas):
    arenas.hold(rule, hops, arena_over_ssh(keys, hops))
