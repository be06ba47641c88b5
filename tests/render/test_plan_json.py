"""The plan document: its fixed keys, exactly."""

import json

from orchestra.render.plan_json import plan_json
from tests.render import plans


def only(document, **wanted):
    """The same keys of a larger object."""
    return {key: document[key] for key in wanted}


def test_the_keys_that_are_fixed():
    document = plan_json(plans.plan(plans.DESK, diagnostics=(plans.DENIED,)))
    assert only(document, format_version=1, topology=1, client=1) == {
        "format_version": 1,
        "topology": "office",
        "client": "laptop",
    }
    dial = {"by": "laptop", "host": "198.51.100.1", "port": 2222, "means": "gateway"}
    session = {"id": "gateway", "server": "gateway", "via": None}
    assert only(document["sessions"][0], **session) == session
    assert only(document["sessions"][0]["dial"], **dial) == dial
    assert document["sessions"][1]["via"] == "gateway"
    tunnel = {
        "name": "desk",
        "kind": "tcp",
        "verdict": "reachable",
        "direction": "local",
        "path": ["laptop", "gateway"],
        "sessions": ["gateway"],
        "missing": [],
        "held_by": None,
    }
    (found,) = document["tunnels"]
    assert only(found, **tunnel) == tunnel
    listen = {"at": "laptop", "addresses": ["127.0.0.1:5920", "[::1]:5920"]}
    assert only(found["listen"], **listen) == listen
    dial = {"by": "gateway", "host": "10.20.0.30", "port": 5900, "means": "desk-vnc"}
    assert only(found["dial"], **dial) == dial
    assert [a["path"] for a in found["alternatives"]] == [["laptop", "other"]]
    assert document["diagnostics"] == [
        {
            "code": "FIREWALL_DEFAULT_DENY",
            "severity": "error",
            "tunnel": "vault",
            "message": "gateway cannot reach vault: core has no rule that allows it",
            "file": "office.yaml",
            "line": 33,
            "column": 5,
            "path": "firewalls.core.rules",
            "suggestion": "core would have to let gateway reach 10.30.0.8:8200/tcp",
        }
    ]


def test_an_unreachable_tunnel_has_its_blocked_path_and_what_is_missing():
    (found,) = plan_json(plans.plan(plans.BLOCKED))["tunnels"]
    assert found["verdict"] == "unreachable"
    assert [(dial["by"], dial["means"], dial["passes"]) for dial in found["blocked"]] == [
        ("laptop", "gateway", True),
        ("gateway", "vault", False),
    ]
    assert found["missing"][0] == {
        "kind": "firewall",
        "at": "core",
        "from": "gateway",
        "to": "vault",
        "address": "10.30.0.8",
        "port": 8200,
        "protocol": "tcp",
        "setting": "rules",
    }


def test_dials_that_are_no_address_and_dials_that_are_none():
    near, web, held = plan_json(plans.plan(plans.PLAIN_DIAL, plans.SOCKS, plans.ELSEWHERE))["tunnels"]
    assert near["dial"]["path"] == "/run/printer.sock"
    assert "host" not in near["dial"]
    assert web["dial"] is None
    assert web["listen"]["addresses"] == ["unix:/run/web.sock"]
    assert (held["verdict"], held["held_by"]) == ("elsewhere", "runner")


def test_it_is_json():
    tunnels = (plans.CALLBACK, plans.DEEP, plans.BLOCKED, plans.SOCKS)
    document = plan_json(plans.plan(*tunnels, diagnostics=(plans.DENIED,)))
    assert json.loads(json.dumps(document)) == document
