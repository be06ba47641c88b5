"""Sessions by the system's ssh pass the suite that all sessions pass, alone and mixed with the other transport."""

import asyncio

import pytest

from orchestra.testing.conformance import CHECKS, run_check
from tests.engine.ssh.sshd import Keys, needs_sshd

from .arena import arena

pytestmark = needs_sshd
PATHS = [("openssh",), ("ssh", "openssh"), ("openssh", "ssh"), ("openssh", "openssh")]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("path", PATHS, ids="-".join)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(check, path, keys):
    asyncio.run(run_check(check, arena(keys, path)))


@pytest.mark.parametrize("check", [c for c in CHECKS if c.__name__ == "a_loss_is_no_end_of_file"])
def test_a_killed_master_is_no_end_of_file(check, keys):
    asyncio.run(run_check(check, arena(keys, ("openssh",), by_master=True)))
