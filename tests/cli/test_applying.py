"""What is asked of a running one, and what is made of its answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from orchestra.cli.applying import apply
from orchestra.cli.console import Console
from orchestra.cli.options import Format
from orchestra.render.changes_json import changes_json
from tests.render.test_changes_text import CHANGES

PROPOSAL = {
    "proposal": 7,
    "code": 0,
    "said": "",
    "file": "office.yaml",
    "changes": changes_json(CHANGES),
    "disclosures": [{"deed": "runs", "what": "vault read", "why": "the password for gateway"}],
    "failures": [],
    "late": False,
}
FAILURE = {"name": "desk", "code": "LISTEN_IN_USE", "message": "taken", "suggestion": "use auto", "stays": True}


class Answering:
    """A running one that answers what the test says."""

    def __init__(self, *answers):
        self.place = SimpleNamespace(name="office")
        self.answers, self.asked = list(answers), []

    def reload(self, request):
        self.asked.append(request)
        return self.answers.pop(0)


def ask(client, **more):
    return apply(Console.standard(), client, {"add": {}}, drain=30.0, limit=None, **more)


def test_what_was_shown_is_what_is_applied(capsys):
    client = Answering(PROPOSAL, PROPOSAL)
    assert ask(client) == 0
    dry, applied = client.asked
    assert (dry["dry"], dry["add"]) == (True, {})
    assert applied == {"proposal": 7, "drain": 30.0, "timeout": None}
    said = capsys.readouterr()
    assert "~ session gateway" in said.out
    assert "runs  vault read  (the password for gateway)" in said.err
    assert said.err.endswith("office has been changed\n")


def test_a_dry_run_asks_once():
    client = Answering(PROPOSAL)
    assert ask(client, dry=True, output=Format.JSON) == 0
    assert client.answers == []


@pytest.mark.parametrize(
    ("failure", "late", "code"),
    [
        ({}, False, 1),
        ({"code": "AUTH_FAILED"}, False, 4),
        ({"code": None, "message": "it is not ready", "suggestion": None, "stays": False}, True, 124),
    ],
)
def test_what_did_not_become_what_it_is_to_be(capsys, failure, late, code):
    client = Answering(PROPOSAL, {**PROPOSAL, "failures": [FAILURE | failure], "late": late})
    assert ask(client) == code
    said = capsys.readouterr().err
    assert ("it goes on as it was" in said) == (FAILURE | failure)["stays"]
    assert "tunnel desk" in said


def test_who_is_refused_is_told_why(capsys):
    refused = {"proposal": None, "code": 3, "said": "no way", "changes": [], "failures": []}
    assert ask(Answering(refused)) == 3
    assert ask(Answering(PROPOSAL, refused | {"code": 1, "said": "changed meanwhile"})) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "changed meanwhile"
