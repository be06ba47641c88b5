"""The status for programs: its fixed keys."""

import json

from orchestra.render.status_json import status_json
from tests.render.statuses import STATUS


def test_the_keys_of_the_json_form():
    document = status_json(STATUS)
    assert json.loads(json.dumps(document)) == document
    assert {"format_version", "topology", "pid", "version", "file", "state", "sessions", "tunnels"} <= set(document)
    session = {"id": "gateway", "server": "gateway", "state": "open", "error": None, "opened": 0}
    assert document["sessions"][0] == session
    assert {"code", "host", "message", "since", "attempts", "next_retry"} <= set(document["sessions"][1]["error"])
    keys = {"name", "state", "proven", "listen", "error", "connections", "bytes_in", "bytes_out"}
    assert keys <= set(document["tunnels"][0])
    assert document["tunnels"][0]["listen"] == ["127.0.0.1:5920", "[::1]:5920"]
