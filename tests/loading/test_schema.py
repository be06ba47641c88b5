"""The schema and the parser agree on shapes: what loads validates, what has a wrong shape is refused by both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from orchestra.diagnostics import Code
from orchestra.loading import TEMPLATE, json_schema
from orchestra.loading.nodes import plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from orchestra.loading.shapes.ssh import Secret
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, Vocabulary
from tests.loading.words import VOCABULARY, read

SCHEMA = json_schema(VOCABULARY)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

ACCEPTED = [
    TEMPLATE,
    (Path(__file__).parent / "vocabulary.yaml").read_text(encoding="utf-8").replace("include: [common.yaml]", ""),
    "servers: {a: u@a, b: , c: {ssh: u@c}, d: {ssh: {host: d, user: 0777}, x-note: {any: [thing]}}}",
    "networks: {a: , b: 10.0.0.0/8, c: [10.0.0.0/9, fd00::/8], d: {cidr: [10.1.0.0/16]}}",
    "networks: {a: }\nclients: {x: , y: {networks: [a]}}",
    "networks: {a: , b: }\nclients: {x: {networks: {a: , b: [10.0.0.1]}, names: x.y, route: {}}}",
    "targets: {a: 'x:80', b: {address: 80}, c: {display: 3}, d: {address: 'x:1', protocol: udp}}",
    "targets: {a: 'x:80'}\ntunnels: {a: {listen: 5000, hold: 1m, dial_timeout: 2, check: none, env: {A: 1}, via: []}}",
    "targets: {a: 'x:80'}\ntunnels: {a: , b: {to: a, check: {type: http, status: 204}}}",
    "servers: {s: {transport: {type: kubectl, pod: p}}}",
    "servers: {s: }\ntunnels: {x: {kind: socks, exit: s, socks: {allow: [a]}}}",
    "firewalls: {f: {rules: [{allow: {}}, {deny: {ports: 22, protocol: any}, name: n}], nat: [], inbound: []}}",
    "networks: {n: }\nfirewalls: {f: {networks: [n], nat: [{network: n, masquerade: true}]}}",
    "networks: {n: }\nfirewalls: {f: {networks: [n], nat: [{network: n, port: 1, to: f}]}}",
    "servers: {s: {ssh: {password: {env: A}, passphrase: {command: [a, b]}, private_key: {vault: [1]}}}}",
    "servers: {s: {forwarding: {gateway_ports: yes, permit_open: any, permit_listen: ['*:1']}}}",
    "defaults: {servers: {ssh: {user: a}}, tunnels: {failover: true}}\nservers:\ntargets:\nexpect:\n",
    "version: 1\nname: 5\nrequires: {orchestra: '>=0.1', plugins: {}}\nx-anything: [1, {2: 3}]\n",
]

WRONG_SHAPES = [
    "[]",
    "sever: {}",
    "version: 2",
    "networks: [a]",
    "networks: {a: 5}",
    "networks: {a: {cidrs: x}}",
    "clients: {a: b}",
    "clients: {a: {networks: {n: [[10.0.0.1]]}}}",
    "servers: {a: 5}",
    "servers: {a: {ssh: }}",
    "servers: {a: {ssh: {prt: 22}}}",
    "servers: {a: {ssh: {port: 70000}}}",
    "servers: {a: {ssh: {port: '22'}}}",
    "servers: {a: {ssh: {identity: {a: b}}}}",
    "servers: {a: {ssh: {password: secret}}}",
    "servers: {a: {ssh: {password: {}}}}",
    "servers: {a: {ssh: {password: {env: A, file: b}}}}",
    "servers: {a: {ssh: {password: {nobody: A}}}}",
    "servers: {a: {ssh: {password: {command: a b}}}}",
    "servers: {a: {ssh: {host_key_policy: never}}}",
    "servers: {a: {cost: -1}}",
    "servers: {a: {transport: nobody}}",
    "servers: {a: {transport: {type: ssh, pod: x}}}",
    "servers: {a: {transport: {type: kubectl}}}",
    "servers: {a: {forwarding: {local: maybe}}}",
    "servers: {a: {forwarding: {gateway_ports: maybe}}}",
    "targets: {a: 80}",
    "targets: {a: }",
    "targets: {a: {protocol: tcp}}",
    "targets: {a: {address: 80, protocol: icmp}}",
    "targets: {a: {address: 70000}}",
    "tunnels: {a: {to: [a]}}",
    "tunnels: {a: {failover: 1}}",
    "tunnels: {a: {kind: nobody}}",
    "tunnels: {a: {socks: {}}}",
    "tunnels: {a: {kind: socks, exit: a, socks: {alow: []}}}",
    "tunnels: {a: {check: nobody}}",
    "tunnels: {a: {check: {type: http, status: ok}}}",
    "tunnels: {a: {check: {every: 5}}}",
    "tunnels: {a: {hold: soon}}",
    "tunnels: {a: {env: [a]}}",
    "firewalls: {a: {rules: {}}}",
    "firewalls: {a: {rules: [{}]}}",
    "firewalls: {a: {rules: [{allow: {}, deny: {}}]}}",
    "firewalls: {a: {rules: [{allow: {ports: [x]}}]}}",
    "firewalls: {a: {nat: [{network: a}]}}",
    "firewalls: {a: {nat: [{network: a, masquerade: true, port: 1}]}}",
    "defaults: {server: {}}",
    "defaults: {servers: {ssh: {usr: x}}}",
    "expect: {}",
    "expect: [{from: a, to: b}]",
    "expect: [{from: a, to: b, verdict: perhaps}]",
    "requires: ",
]


def value(text: str) -> Any:
    node = read_yaml("f", text, environ={}, report=Report(), dropped=set())
    assert node is not None
    return plain(node)


def test_it_is_a_schema_of_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$defs" not in str(SCHEMA)


def test_references_stand_alone_and_resolve() -> None:
    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                assert list(part) == ["$ref"]
                assert reference.removeprefix("#/definitions/") in SCHEMA["definitions"]
            for item in part.values():
                walk(item)
        elif isinstance(part, list):
            for item in part:
                walk(item)

    walk(SCHEMA)


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_loads_validates(text: str) -> None:
    assert [d.message for d in read(text).diagnostics] == []
    assert [error.message for error in VALIDATOR.iter_errors(value(text))] == []


@pytest.mark.parametrize("text", WRONG_SHAPES)
def test_wrong_shapes_are_refused_by_both(text: str) -> None:
    shape_codes = {
        Code.UNKNOWN_KEY,
        Code.MISSING_KEY,
        Code.BAD_TYPE,
        Code.BAD_VALUE,
        Code.BAD_ADDRESS,
        Code.UNKNOWN_NAME,
    }
    assert {d.code for d in read(text).diagnostics} & shape_codes
    assert list(VALIDATOR.iter_errors(value(text)))


def test_every_key_says_what_it_is() -> None:
    def bare(part: Any, path: str) -> list[str]:
        if not isinstance(part, dict):
            return []
        found = []
        for name, item in part.get("properties", {}).items():
            described = "description" in item or "const" in item
            found += [] if described else [f"{path}.{name}"]
        for form in part.get("anyOf", []):
            found += bare(form, path)
        return found

    own = {name: part for name, part in SCHEMA["definitions"].items() if name not in {"Secret", "Transport", "Check"}}
    plugins = {"Tunnel.socks", "Tunnel.kind"}
    assert [key for name, part in own.items() for key in bare(part, name) if key not in plugins] == []
    assert bare(SCHEMA, "") == []


def test_a_secret_among_the_fields_of_a_plugin_is_one_like_any_other() -> None:
    class Fields(BaseModel):
        password: Secret

    schema = json_schema(Vocabulary(kinds={"proxy": KindSpec(name="proxy", fields=Fields)}, secrets=VOCABULARY.secrets))
    fields = schema["definitions"]["Tunnel"]["anyOf"][-1]["properties"]["proxy"]
    assert fields["properties"]["password"]["allOf"] == [{"$ref": "#/definitions/Secret"}]


def test_the_schema_knows_only_the_words_it_was_given() -> None:
    schema = json_schema(Vocabulary())
    jsonschema.Draft7Validator.check_schema(schema)
    assert "kubectl" not in str(schema)


def test_a_model_of_a_plugin_that_cannot_be_described_spoils_nothing_else() -> None:
    class Fields(BaseModel):
        call: Callable[[], int]

    schema = json_schema(Vocabulary(checks={"odd": CheckSpec(name="odd", fields=Fields)}))
    words, *forms = schema["definitions"]["Check"]["anyOf"]
    assert words == {"enum": ["none", "odd"]}
    assert sorted(form["properties"]["type"]["const"] for form in forms) == ["none", "odd"]
    assert "servers" in schema["properties"]
