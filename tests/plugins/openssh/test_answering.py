"""Questions of ssh, and who answers them."""

import asyncio

import pytest
from orchestra_plugins.openssh.answering import Answers, AskpassSocket, classify

from orchestra.diagnostics import Code
from orchestra.model.topology import SecretRef, SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.errors import OpenFailed
from orchestra.session.here import Here
from tests.engine.ssh.sshd import request

SECRET = SecretRef(kind="env", value="X")


@pytest.mark.parametrize(
    ("prompt", "kind", "subject"),
    [
        ("Enter passphrase for key '/home/a/.ssh/id_ed25519': ", "passphrase", "/home/a/.ssh/id_ed25519"),
        ("alice@gw's password: ", "password", "alice@gw"),
        ("(alice@gw) Password: ", "password", "(alice@gw) Password:"),
        (
            "(a@gw) One-time password (OATH) for `a': ",
            "response",
            "(a@gw) One-time password (OATH) for `a':",
        ),
        ("(alice@gw) Verification code: ", "response", "(alice@gw) Verification code:"),
        ("Enter PIN for ED25519-SK key /k: ", "response", "Enter PIN for ED25519-SK key /k:"),
        ("Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "host-key", "host key"),
    ],
)
def test_what_is_asked(prompt, kind, subject):
    assert classify(prompt) == (kind, subject)


class Person:
    def __init__(self, *answers):
        self.answers, self.questions, self.waiting = list(answers), [], []

    async def __call__(self, question):
        self.questions.append(question)
        return self.answers.pop(0)


def made(person, settings=None, read=None) -> Answers:
    async def secret(ref):
        assert ref == SECRET
        return b"secret"

    settings = settings or SshSettings(port=22)
    asked: OpenRequest = request(settings, Here("laptop"), ask=person, read_secret=read or secret)
    return Answers(asked, settings, person.waiting.append, lambda: person.waiting.append("given up"))


def test_a_person_is_asked_and_the_deadline_waits():
    async def scene():
        person = Person("one", "two", None)
        answers = made(person)
        got = [await answers.answer("", "alice@gw's password: ") for _ in range(3)]
        assert got == ["one", "two", None]
        assert [question.again for question in person.questions] == [False, True, True]
        assert person.waiting == [True, False] * 3 + ["given up"]
        assert answers.remarks == ["nobody was there to answer “alice@gw's password:”"]

    asyncio.run(scene())


def test_a_secret_is_sent_once_and_nobody_is_asked_after_it():
    async def scene():
        person = Person()
        answers = made(person, SshSettings(port=22, password=SECRET))
        assert await answers.answer("", "alice@gw's password: ") == "secret"
        assert await answers.answer("", "(alice@gw) Password: ") is None
        assert (person.questions, person.waiting) == ([], ["given up"])
        assert answers.remarks == ["the password that the topology names was not accepted"]

    asyncio.run(scene())


def test_a_secret_that_cannot_be_read_is_why_it_fails():
    async def unreadable(_ref):
        raise OpenFailed(Code.SECRET_UNAVAILABLE, "no X")

    async def scene():
        answers = made(Person(), SshSettings(port=22, passphrase=SECRET), unreadable)
        assert await answers.answer("", "Enter passphrase for key '/k': ") is None
        assert "no X" in str(answers.failure)

    asyncio.run(scene())


def test_a_key_that_wants_to_be_touched_asks_nothing():
    async def scene():
        person = Person()
        assert await made(person).answer("none", "Confirm user presence for key ED25519-SK") == ""
        assert person.questions == []

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("answer", "expected"), [("grüß; $(x) 'y'", (0, "grüß; $(x) 'y'\n")), ("", (0, "\n")), (None, (1, "\n"))]
)
def test_over_the_bridge_as_ssh_runs_it(answer, expected, tmp_path):
    async def scene():
        here = Here("laptop")
        bridge = await AskpassSocket.open(here, tmp_path, made(Person(answer)))
        assert bridge.environment["SSH_ASKPASS_REQUIRE"] == "force"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            bridge.environment["SSH_ASKPASS"], "a 'question'\n?", stdout=pipe
        )
        out, _ = await process.communicate()
        bridge.close()
        here.abort()
        return process.returncode, out.decode()

    assert asyncio.run(scene()) == expected
