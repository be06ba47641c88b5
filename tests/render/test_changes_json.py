import json

from orchestra.render.changes_json import changes_json, read_changes
from tests.render.test_changes_text import CHANGES


def test_changes_survive_the_journey():
    assert read_changes(json.loads(json.dumps(changes_json(CHANGES)))) == CHANGES


def test_one_change_as_an_object():
    assert changes_json(CHANGES)[0] == {
        "what": "session",
        "name": "gateway",
        "action": "change",
        "text": "laptop dials gw:22",
        "differences": ({"field": "ssh.user", "before": "", "after": "bob"},),
    }
