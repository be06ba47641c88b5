"""A person's word for a host key."""

import asyncio

import pytest

from orchestra.engine.vouching import is_vouched_for
from orchestra.plugin.interfaces import Question, nobody

QUESTION = Question(kind="host-key", host="gw", subject="gw ssh-ed25519 SHA256:abc", text="Is it?")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["yes"], True),
        ([" yes\t"], True),
        (["SHA256:abc"], True),
        (["no"], False),
        (["No"], False),
        ([""], False),
        ([None], False),
        (["y", "YES", "SHA256:abd", "yes"], True),
        (["SHA256:ABC", None], False),
    ],
)
def test_only_a_whole_yes_or_the_fingerprint_is_a_yes(answers, expected):
    asked, left = [], list(answers)

    async def ask(question):
        asked.append(question)
        return left.pop(0)

    assert asyncio.run(is_vouched_for("SHA256:abc", QUESTION, ask)) is expected
    assert left == []
    assert [question.again for question in asked] == [False] + [True] * (len(answers) - 1)


def test_nobody_says_no():
    assert asyncio.run(is_vouched_for("SHA256:abc", QUESTION, nobody)) is False
