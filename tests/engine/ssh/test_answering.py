"""What a server is told that prompts: by a secret once, else by a person, and not for ever."""

from __future__ import annotations

import asyncio

import pytest

from orchestra.engine.ssh.answering import Answers
from orchestra.model.topology import ConfigSettings


class Person:
    """Answers whatever is asked by the number of the question; ``deaf`` to nothing."""

    def __init__(self, deaf=False):
        self.questions, self.deaf = [], deaf

    async def __call__(self, question):
        self.questions.append(question)
        return None if self.deaf else f"answer {len(self.questions)}"


def answers(person, secret=None, **config):
    said, remarks = [], []
    made = Answers(
        "me@gw", "gw", ConfigSettings(**config), ask=person, notice=said.append, remark=lambda *it: remarks.append(it)
    )
    if secret is not None:
        made.give(secret)
    return made, said, remarks


def respond(made, *prompts, name="", instructions=""):
    return asyncio.run(made.respond(name, instructions, prompts))


def test_the_secret_answers_one_prompt_for_a_password_and_a_person_the_others():
    person = Person()
    made, *_ = answers(person, "sesame")
    assert respond(made, ("Code: ", True), ("Password: ", False), ("Password again: ", False)) == [
        *("answer 1", "sesame", "answer 2")
    ]
    asked = [(q.kind, q.subject, q.text, q.echo, q.again) for q in person.questions]
    assert asked == [
        ("response", "Code:", "gw: (me@gw) Code:", True, False),
        ("password", "Password again:", "gw: (me@gw) Password again:", False, False),
    ]


def test_a_secret_is_never_sent_twice():
    made, *_ = answers(Person(), "sesame")
    assert made.may_begin(may_ask=False)
    assert made.has_unused_secret
    assert respond(made, ("Password:", False)) == ["sesame"]
    assert not made.may_begin(may_ask=True)
    assert asyncio.run(made.password(may_ask=True)) is None


def test_a_visible_prompt_is_not_told_the_secret():
    person = Person()
    made, *_ = answers(person, "sesame")
    assert respond(made, ("Password:", True)) == ["answer 1"]


@pytest.mark.parametrize("prompt", ["One-time password (OATH) for `me': ", "Verification code: ", "Enter PASSCODE: "])
def test_a_prompt_for_a_code_is_not_told_the_secret_and_what_is_typed_is_not_kept(prompt):
    person = Person()
    made, *_ = answers(person, "sesame")
    assert respond(made, (prompt, False)) == ["answer 1"]
    assert person.questions[0].kind == "response"


def test_a_person_is_asked_three_times_for_the_same_and_told_that_it_was_wrong():
    person = Person()
    made, *_ = answers(person)

    async def main():
        return [await made.password(may_ask=True) for _ in range(4)]

    assert asyncio.run(main()) == ["answer 1", "answer 2", "answer 3", None]
    assert [q.again for q in person.questions] == [False, True, True]
    assert person.questions[0].text == "gw: password of me@gw:"
    assert {q.text for q in person.questions[1:]} == {"gw: not accepted, once more the password of me@gw:"}


def test_prompts_begin_three_times_and_not_again_when_none_came():
    made, *_ = answers(Person())
    begun = []
    for _ in range(4):
        begun.append(made.may_begin(may_ask=True))
        respond(made, ("?", True))
    assert begun == [True, True, True, False]
    made, *_ = answers(Person(), "sesame")
    assert [made.may_begin(may_ask=True) for _ in range(2)] == [True, False]  # sshd without PAM


def test_ssh_config_says_how_often():
    made, *_ = answers(Person(), password_prompts=1)
    assert [respond(made, ("Password:", False)) for _ in range(2)] == [["answer 1"], None]
    made, _, remarks = answers(Person(), password_prompts=0)
    assert respond(made, ("Password:", False)) is None
    assert "BatchMode" in remarks[0][0]


def test_a_person_is_left_alone_where_the_file_says_who_we_are():
    person = Person()
    made, *_ = answers(person)
    assert asyncio.run(made.password(may_ask=False)) is None
    assert not made.may_begin(may_ask=False)
    assert person.questions == []


def test_where_there_is_nobody_the_failure_will_say_what_was_asked():
    made, _, remarks = answers(Person(deaf=True))
    assert respond(made, ("Token\x1b[2J: ", False)) is None
    ((text, hint),) = remarks
    assert text == "it asks for “Token·[2J:”, and there is nobody to answer"
    assert "a password as a secret" in hint


def test_what_the_server_says_beside_its_prompts_is_told_in_clean_words():
    made, said, _ = answers(Person())
    assert respond(made, name="Login\x1b]0;x\x07", instructions="touch\nyour token") == []
    assert said == ["gw says: Login·]0;x·", "gw says: touch your token"]


def test_a_server_that_prompts_for_ever_is_left():
    made, *_ = answers(Person())
    assert made.may_begin(may_ask=True)
    replies = [respond(made) for _ in range(30)]
    assert replies.index(None) == 20
