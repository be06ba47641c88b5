from __future__ import annotations

import asyncio
import subprocess

import pytest

from orchestra.engine.ssh.agents import Agent, NoAgent, comment, plain_key, signer
from tests.engine.ssh.agents import agent_with
from tests.engine.ssh.sshd import make_key


def test_it_shows_its_keys_and_signs(tmp_path):
    async def main(path):
        agent = Agent(path)
        first, second = await agent.keys()
        assert [comment(key) for key in (first, second)] == ["one", "two"]
        assert b"ssh-ed25519" in await signer(second)(b"data", b"ssh-ed25519")
        await agent.close()

    with agent_with(tmp_path, "one", "two") as path:
        asyncio.run(main(path))


def test_a_key_that_it_has_with_a_certificate_is_known_by_itself(tmp_path):
    make_key(tmp_path / "one")
    make_key(tmp_path / "authority")
    sign = ["ssh-keygen", "-q", "-s", tmp_path / "authority", "-I", "me", "-n", "me", tmp_path / "one.pub"]
    subprocess.run(sign, check=True, capture_output=True)

    async def main(path):
        agent = Agent(path)
        keys = await agent.keys()
        await agent.close()
        return [plain_key(key) for key in keys], [key.key_public_data for key in keys]

    with agent_with(tmp_path, "one", made=True) as path:
        plain, shown = asyncio.run(main(path))
    assert len(shown) == 2
    assert len(set(plain)) == 1


@pytest.mark.parametrize("named", [None, "none"])
def test_there_need_be_none(monkeypatch, named):
    monkeypatch.setenv("SSH_AUTH_SOCK", "" if named is None else "/somewhere")
    assert asyncio.run(Agent(named).keys()) == ()


def test_what_does_not_answer_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path, why in ((tmp_path / "gone", "No such file"), (tmp_path / "file", "Connection refused")):
        with pytest.raises(NoAgent, match=f"the agent at {path} does not answer: {why}"):
            asyncio.run(Agent(str(path)).keys())
