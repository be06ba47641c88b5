"""The whole way from text to topology: what stays usable, and that nothing raises."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.loading.nodes import plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from orchestra.model.address import Endpoint
from orchestra.model.topology import Tunnel
from tests.loading.words import read, server, topology

FOLDER = Path(__file__).parent


def test_the_shortest_file() -> None:
    found = topology('servers: {bastion: ci@bastion.example.com}\ntargets: {db: "db.internal:5432"}\n')
    ssh = server("servers: {s: ci@bastion.example.com}").ssh
    assert (ssh.host, ssh.user, ssh.port) == ("bastion.example.com", "ci", None)
    assert found.targets["db"].address == Endpoint("db.internal", 5432)
    assert found.hosts["db"].attachments == ()
    assert found.tunnels == {"db": Tunnel(name="db", to="db", implicit=True)}
    assert found.name == "stdin"


def test_what_is_whole_stays_in_the_partial_topology() -> None:
    loaded = read("servers: {a: u@a, b: {ssh: {port: 0, user: x}}}\ntargets: {t: 'x:80', u: 5}\n")
    assert loaded.topology is None
    assert sorted(loaded.partial.hosts) == ["a", "b", "t"]
    b = loaded.partial.hosts["b"].server
    assert b is not None
    assert (b.ssh.port, b.ssh.user) == (None, "x")
    assert list(loaded.partial.tunnels) == ["t"]


def test_places_are_a_mapping() -> None:
    places = topology("servers: {a: {ssh: {host: a}}}\ntargets: {t: 'x:80'}\n").places
    assert len(places) == len(list(places)) == 6
    assert {path: str(places[path]) for path in places}["servers", "a", "ssh", "host"] == "<stdin>:1:21"
    assert ("servers", "b") not in places


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_means_nothing(rng: random.Random) -> None:
    text = (FOLDER / "vocabulary.yaml").read_text(encoding="utf-8").replace("include: [common.yaml]", "")
    root = read_yaml("f", text, environ={}, report=Report(), dropped=set())
    assert root is not None
    shuffled = yaml.safe_dump(_shuffled(plain(root), rng), sort_keys=False)
    assert topology(shuffled) == topology(text)


_WORDS = """version name include requires networks defaults clients firewalls servers targets tunnels expect ssh host
    user rules allow deny from to ports nat network port address display kind check socks env transport type identity"""


_KEYS = st.sampled_from([*_WORDS.split(), "a", "b", "x-y"])


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70000),
    st.sampled_from(
        ["a", "b", "any", "10.0.0.1", "10.0.0.0/8", "a:80", "22:22", "*:1", "ssh", "udp", "-x", "${X}", ""]
    ),
    st.text(max_size=8),
)


_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_KEYS, _TREES, max_size=6))
def test_no_tree_raises(tree: dict[str, Any]) -> None:
    tree.pop("include", None)
    loaded = read(yaml.safe_dump(tree))
    assert (loaded.topology is None) == any(d.severity == "error" for d in loaded.diagnostics)
    assert all(d.place is not None for d in loaded.diagnostics)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text("{}[]:,-*&!|>'\"$\n\t ab1#%@", max_size=60))
def test_no_text_raises(text: str) -> None:
    loaded = read(text)
    assert loaded.topology is not None or loaded.diagnostics


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damage_raises(data: st.DataObject) -> None:
    text = (FOLDER / "vocabulary.yaml").read_text(encoding="utf-8").replace("include: [common.yaml]", "")
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    loaded = read(text[:start] + data.draw(st.text(max_size=5)) + text[end:])
    assert loaded.topology is not None or loaded.diagnostics
    assert all(isinstance(d.code, Code) for d in loaded.diagnostics)


def test_a_mistake_in_the_last_line_of_a_large_file_is_placed_there() -> None:
    """Large enough that what is done for each line, or for each pair of lines, would be felt."""
    names = [f"host{number}" for number in range(3_000)]
    lines = ["networks: {lan: 10.0.0.0/8}", "servers:"]
    lines += [f"  {name}: {{networks: {{lan: 10.1.{n // 200}.{n % 200 + 1}}}}}" for n, name in enumerate(names)]
    lines += ["targets: {web: {host: host7, address: 80}}", "tunnels:", "  web: {to: web, via: [host2999, host3000]}"]
    loaded = read("\n".join(lines) + "\n")
    [found] = loaded.diagnostics
    assert (found.code, found.place and found.place.line) == (Code.UNKNOWN_NAME, len(lines))
    assert "host3000" in found.message
