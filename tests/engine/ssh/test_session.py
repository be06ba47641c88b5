"""Sessions over a real sshd pass the suite that all sessions pass, directly and through another session."""

import asyncio

import pytest

from orchestra.testing.conformance import CHECKS, run_check

from .sshd import Keys, arena_over_ssh, needs_sshd

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sshd(check, hops, keys):
    asyncio.run(run_check(check, arena_over_ssh(keys, hops)))
