"""The reference of the file: made from the schema, key by key."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestra.loading import json_schema
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, Vocabulary
from orchestra.render.reference import reference
from tests.loading.words import VOCABULARY


class Socks(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    allow: list[str] = []
    """What may be dialed; default: all that
    the exit reaches."""


class Http(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    status: int
    """The status that is wanted."""


def row(text: str, section: str, key: str) -> list[str]:
    body = re.split(r"^## ", text.split(f"\n## {section}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    (found,) = re.findall(rf"^\| `{key}` \| (.*) \| (.*) \| (.*) \|$", body, re.MULTILINE)
    return list(found)


TEXT = reference(json_schema(VOCABULARY))


def test_a_shape_stands_at_its_paths() -> None:
    assert "## Ssh\n\n`clients.NAME.ssh`, `firewalls.NAME.ssh`, `servers.NAME.ssh`\n\nHow to log in." in TEXT
    assert "`firewalls.NAME.rules[].allow`" in TEXT
    assert "`defaults.servers" not in TEXT


def test_constants_words_and_nothing_as_defaults() -> None:
    assert row(TEXT, "Forwarding", "local")[:2] == ["yes or no", "`yes`"]
    assert row(TEXT, "Forwarding", "gateway_ports")[:2] == ["`no` or `yes` or `clientspecified`", "`no`"]
    assert row(TEXT, "Rule body", "from")[:2] == ["list of texts", "`any`"]
    assert row(TEXT, "Tunnel", "hold")[:2] == ["duration", "2s"]
    assert row(TEXT, "Tunnel", "via")[:2] == ["list of names", "–"]
    assert row(TEXT, "Expectation", "verdict")[:2] == ["`reachable` or `unreachable`", "needed"]


def test_lists_maps_and_links() -> None:
    assert row(TEXT, "Firewall", "rules")[0] == "list of [rules](#rule)"
    assert row(TEXT, "The file", "servers")[0] == "map of names to [servers](#server)"
    assert row(TEXT, "Server", "networks")[0] == "list of names, or map of names to list of IP addresses"
    for link in re.findall(r"\]\(#([\w-]+)\)", TEXT):
        assert f"\n## {link.replace('-', ' ').capitalize()}\n" in TEXT


def test_examples_stand_behind_the_meaning() -> None:
    assert row(TEXT, "Rule body", "ports")[2].endswith(" `ports: [443, 8000-8100]`")
    assert row(TEXT, "Requires", "orchestra")[2].endswith(' `orchestra: ">=0.1"`')


def test_every_type_that_is_named_is_explained_once() -> None:
    types = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", TEXT.split("## Types")[1], re.MULTILINE)[1:]
    assert types == sorted(set(types), key=str.lower)
    assert {"address", "CIDR", "duration", "listen address", "name"} <= set(types)


def test_the_fields_of_plugins() -> None:
    words: dict[str, Any] = {
        "kinds": {"tcp": KindSpec(name="tcp"), "socks": KindSpec(name="socks", fields=Socks)},
        "checks": {"tcp": CheckSpec(name="tcp"), "http": CheckSpec(name="http", fields=Http)},
    }
    text = reference(json_schema(Vocabulary(**words)))
    assert row(text, "Tunnel", "socks")[0] == "[socks](#socks)"
    assert row(text, "Tunnel", "kind")[:2] == ["`socks` or `tcp`", "`tcp`"]
    assert "\n## Socks\n\n`tunnels.NAME.socks`\n" in text
    assert row(text, "Socks", "allow") == ["list of texts", "all that the exit reaches", "What may be dialed."]
    assert row(text, "Check", "type")[0] == "`http` or `tcp` or `none`"
    assert row(text, "Check", "status") == ["number", "needed", "Of `http`: The status that is wanted."]
