"""Meaning beyond the example: short forms, defaults, implicit tunnels, what stays usable, and that nothing raises."""

from __future__ import annotations

import gc
import random
import re
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from orchestra.diagnostics import Code
from orchestra.loading import TEMPLATE, find_file, load
from orchestra.loading.loader import collector_off
from orchestra.loading.nodes import plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from orchestra.model.address import Endpoint, UnixPath
from orchestra.model.topology import Attachment, CheckRef, DnsName, Host, SecretRef, Selector, Server, Topology, Tunnel
from orchestra.plugin.vocabulary import KindSpec
from tests.loading.words import VOCABULARY, read, said

FOLDER = Path(__file__).parent
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJDQ1gCqUGwKHuW0cSh2+TVBQWkSoohkTEYG9MwTyRsd"


def topology(text: str, **environ: str) -> Topology:
    loaded = read(text, {"HOME": "/home/u", **environ})
    assert loaded.diagnostics == ()
    assert loaded.topology is not None
    return loaded.topology


def host(text: str, name: str) -> Host:
    return topology(text).hosts[name]


def server(text: str, name: str = "s") -> Server:
    found = host(text, name).server
    assert found is not None
    return found


def test_the_shortest_file() -> None:
    found = topology('servers: {bastion: ci@bastion.example.com}\ntargets: {db: "db.internal:5432"}\n')
    ssh = server("servers: {s: ci@bastion.example.com}").ssh
    assert (ssh.host, ssh.user, ssh.port) == ("bastion.example.com", "ci", None)
    assert found.targets["db"].address == Endpoint("db.internal", 5432)
    assert found.hosts["db"].attachments == ()
    assert found.tunnels == {"db": Tunnel(name="db", to="db", implicit=True)}
    assert found.name == "stdin"


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("s", ("s", None, None)),
        ("u@s:2222", ("s", "u", 2222)),
        ('"[::1]:22"', ("::1", None, 22)),
        ("u@v@s", ("s", "u@v", None)),
        ("u@fd00::1", ("fd00::1", "u", None)),
        ("{ssh: u@s:2}", ("s", "u", 2)),
        ("{ssh: {host: s, user: 0777}}", ("s", "0777", None)),
        ("{ssh: {host: s, user: yes}}", ("s", "yes", None)),
        ("{ssh: {host: s, user: 1.10}}", ("s", "1.10", None)),
    ],
)
def test_logins(text: str, login: tuple[str, str | None, int | None]) -> None:
    ssh = server(f"servers: {{s: {text}}}").ssh
    assert (ssh.host, ssh.user, ssh.port) == login


def test_networks_in_every_form() -> None:
    found = topology("networks: {a: , b: 10.0.0.0/24, c: [10.1.0.0/24, fd00::/64], d: {cidr: 10.2.0.0/24}, e: {}}\n")
    cidrs = {name: [str(cidr) for cidr in network.cidrs] for name, network in found.networks.items()}
    assert cidrs == {"a": [], "b": ["10.0.0.0/24"], "c": ["10.1.0.0/24", "fd00::/64"], "d": ["10.2.0.0/24"], "e": []}


def test_attachments_and_names_in_every_form() -> None:
    networks = "networks: {a: , b: , c: }\n"
    listed = host(networks + "clients: {x: {networks: [b, a], names: x.example}}\n", "x")
    assert listed.attachments == (Attachment(network="a"), Attachment(network="b"))
    assert listed.names == (DnsName(text="x.example"),)
    mapped = host(
        networks
        + "clients: {x: {networks: {a: 10.0.0.1, b: [10.0.0.2, fd00::2], c: }, names: {a: [x.a, y.a], b: x.b}}}\n",
        "x",
    )
    assert [attachment.addresses for attachment in mapped.attachments] == [
        (ip_address("10.0.0.1"),),
        (ip_address("10.0.0.2"), ip_address("fd00::2")),
        (),
    ]
    assert mapped.names == (
        DnsName(text="x.a", network="a"),
        DnsName(text="y.a", network="a"),
        DnsName(text="x.b", network="b"),
    )


def test_a_client_or_firewall_with_ssh_is_a_server_too() -> None:
    found = topology(
        "clients: {a: {ssh: u@a, cost: 2}, b: }\nfirewalls: {f: {ssh: {port: 2222}}, g: {}}\nservers: {s: }\n"
    )
    assert {name for name, host in found.hosts.items() if host.server is not None} == {"a", "f", "s"}
    assert found.hosts["a"].server is not None
    assert found.hosts["a"].server.cost == 2
    assert said(read("clients: {a: {forwarding: {}}}\n")) == ["1:15 BAD_VALUE"]


def test_lists_of_one() -> None:
    ssh = server(
        f"servers: {{s: {{ssh: {{identity: k, certificate: [c], known_hosts: ./kh, host_key: ssh-ed25519 {KEY} me}}}}}}"
    ).ssh
    here = Path.cwd()
    assert (ssh.identity, ssh.certificate, ssh.known_hosts) == (
        (str(here / "k"),),
        (str(here / "c"),),
        (str(here / "kh"),),
    )
    assert ssh.host_key == (f"ssh-ed25519 {KEY}",)
    ssh = server(
        f'servers: {{s: {{ssh: {{host_key: ["@cert-authority ssh-ed25519 {KEY}"], agent: none, ssh_config: none}}}}}}'
    ).ssh
    assert ssh.host_key == (f"@cert-authority ssh-ed25519 {KEY}",)
    assert (ssh.agent, ssh.ssh_config) == ("none", "none")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{env: PASSWORD}", SecretRef(kind="env", value="PASSWORD")),
        ("{file: ~/secret}", SecretRef(kind="file", value="/home/u/secret")),
        ("{command: [pass, show, x]}", SecretRef(kind="command", value=("pass", "show", "x"))),
        ("{vault: {path: [1, x]}}", SecretRef(kind="vault", value={"path": [1, "x"]})),
    ],
)
def test_secrets(text: str, secret: SecretRef) -> None:
    assert server(f"servers: {{s: {{ssh: {{password: {text}}}}}}}").ssh.password == secret


def test_forwarding() -> None:
    text = "{local: no, gateway_ports: yes, permit_open: ['*:22', 'DB:5432'], permit_listen: any}"
    forwarding = server(f"servers: {{s: {{forwarding: {text}}}}}").forwarding
    assert (forwarding.local, forwarding.remote, forwarding.gateway_ports) == (False, True, "yes")
    assert (forwarding.permit_open, forwarding.permit_listen) == (("*:22", "DB:5432"), None)


def test_plugin_transports() -> None:
    transport = server("servers: {s: {transport: {type: kubectl, pod: 5, x-y: z}}}").transport
    assert (transport.type, transport.options) == ("kubectl", {"pod": "5", "namespace": "default"})


def test_selectors() -> None:
    rule = host(
        "networks: {office: }\nservers: {s: }\ntargets: {t: {host: s, address: 1}, own: {address: 2}}\n"
        "firewalls: {f: {rules: [{deny: {from: [office, s, t, own, 10.0.0.0/8, 10.0.0.1, any]}}], inbound: []}}\n",
        "f",
    ).rules[0]
    assert rule.sources == (
        Selector(kind="network", text="office", name="office"),
        Selector(kind="host", text="s", name="s"),
        Selector(kind="host", text="t", name="s"),
        Selector(kind="host", text="own", name="own"),
        Selector(kind="cidr", text="10.0.0.0/8", cidr=ip_network("10.0.0.0/8")),
        Selector(kind="cidr", text="10.0.0.1", cidr=ip_network("10.0.0.1/32")),
        Selector(kind="any", text="any"),
    )
    assert rule.destinations == (Selector(kind="any", text="any"),)


def test_a_broken_rule_leaves_the_others_their_numbers() -> None:
    loaded = read("firewalls: {f: {rules: [{allow: {}}, {alow: {}}, {deny: {}}]}}\n")
    assert said(loaded) == ["1:39 UNKNOWN_KEY"]
    assert [rule.index for rule in loaded.partial.hosts["f"].rules] == [0, 2]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("{host: s, address: 80}", Endpoint(None, 80)),
        ("{host: s, address: '*:80'}", Endpoint(None, 80)),
        ("{host: s, address: 0777}", Endpoint(None, 777)),
        ("{host: s, address: '[::1]:80'}", Endpoint("::1", 80)),
        ("{host: s, address: 'fd00::1/80'}", Endpoint("fd00::1", 80)),
        ("{host: s, display: 1}", Endpoint(None, 5901)),
        ("{host: s, address: '::1', display: 1}", Endpoint("::1", 5901)),
        ("{host: s, address: unix:/run/x}", UnixPath("/run/x")),
        ("unix:/run/x", UnixPath("/run/x")),
        ("'[fd00::1]:80'", Endpoint("fd00::1", 80)),
    ],
)
def test_addresses_of_targets(text: str, address: object) -> None:
    assert topology(f"servers: {{s: }}\ntargets: {{t: {text}}}\n").targets["t"].address == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("5920", Endpoint(None, 5920)),
        ("auto", Endpoint(None, 0)),
        ("localhost:auto", Endpoint("localhost", 0)),
        ("'*:5920'", Endpoint("*", 5920)),
        ("::1/5920", Endpoint("::1", 5920)),
        ("unix:/run/x", UnixPath("/run/x")),
    ],
)
def test_listen(text: str, address: object) -> None:
    found = topology(f"servers: {{s: }}\ntargets: {{t: 'x:80'}}\ntunnels:\n  t:\n    listen: {text}\n")
    assert found.tunnels["t"].listen == address


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("3", 3), ("0.5", 0.5), ("1.5s", 1.5), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    found = topology(f"targets: {{t: 'x:80'}}\ntunnels: {{t: {{hold: {text}}}}}\n")
    assert found.tunnels["t"].hold == seconds


def test_defaults_merge_with_short_forms_and_are_overridden() -> None:
    found = topology(
        "defaults:\n"
        "  servers: {ssh: {user: ops, keepalive: 5, identity: [a]}, cost: 3}\n"
        "  tunnels: {failover: true, check: {type: http, every: 60}}\n"
        "servers: {one: ci@one, two: {ssh: two, cost: 1}, three: {ssh: {user: x, identity: [/b]}}, four: }\n"
        "targets: {t: 'x:80', u: 'x:81'}\n"
        "tunnels: {t: {check: none}, u: {check: {path: /up}}}\n"
    )
    servers = {name: host.server for name, host in found.hosts.items() if host.server}
    ssh = {name: (part.ssh.host, part.ssh.user, part.ssh.keepalive, part.cost) for name, part in servers.items()}
    assert ssh == {
        "one": ("one", "ci", 5.0, 3),
        "two": ("two", "ops", 5.0, 1),
        "three": (None, "x", 5.0, 3),
        "four": (None, "ops", 5.0, 3),
    }
    assert servers["three"].ssh.identity == ("/b",)
    assert found.tunnels["t"].failover
    assert found.tunnels["t"].check == CheckRef(type="none", every=60.0)
    assert found.tunnels["u"].check.options == {"status": 200, "path": "/up", "method": "GET"}


def test_tunnels_that_stand_for_targets() -> None:
    found = topology("defaults: {tunnels: {failover: yes}}\ntargets: {t: 'x:80', d: {address: 53, protocol: udp}}\n")
    assert found.tunnels == {
        "t": Tunnel(name="t", to="t", failover=True, implicit=True),
        "d": Tunnel(name="d", kind="udp", to="d", failover=True, check=CheckRef(type="none"), implicit=True),
    }
    assert topology("targets: {t: 'x:80'}\ntunnels: {}\n").tunnels == {}


def test_without_clients_this_machine_is_a_host() -> None:
    text = "servers: {s: }\ntargets: {t: 'x:80'}\ntunnels: {t: {from: localhost, by: localhost}}\n"
    assert topology(text).tunnels["t"].from_ == "localhost"
    assert said(read("clients: {c: }\n" + text)) == ["4:21 UNKNOWN_NAME", "4:36 UNKNOWN_NAME"]


def test_one_machine_with_two_accounts() -> None:
    both = "{networks: {n: 10.0.0.1}, ssh: {user: %s}}"
    text = f"networks: {{n: }}\nservers: {{a: {both}, b: {both % 'b'}}}\n"
    assert said(read(text % "a")) == []
    assert said(read(text % "b")) == ["2:75 DUPLICATE_ADDRESS"]


def test_a_target_on_another_host_may_bear_its_name() -> None:
    found = topology("servers: {db: }\ntargets: {db: {host: db, address: 5432}}\n")
    assert list(found.hosts) == ["db"]


def test_the_name_of_a_broken_entry_is_known() -> None:
    loaded = read(
        "networks: {n: 10.0.0.1/8}\nservers: {a: [], b: {behind: a, networks: [n]}}\n"
        "targets: {t: {adress: 5}, u: {host: a, address: 1}}\ntunnels: {x: {to: t}, y: {to: u, via: a}}\n"
    )
    assert said(loaded) == ["1:15 BAD_CIDR", "2:14 BAD_TYPE", "3:15 UNKNOWN_KEY"]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("sever: {a: u@a}\ntargets: {t: {host: a, address: 1}}\n", ["1:1 UNKNOWN_KEY"]),
        ("networks: [n]\nclients: {c: {networks: [n]}}\n", ["1:11 BAD_TYPE"]),
        ("include: no.yaml\ntunnels: {t: {via: [a]}, u: }\n", ["1:10 NO_SUCH_FILE"]),
    ],
)
def test_names_that_are_lost_by_another_mistake_are_not_said_to_be_unknown(text: str, errors: list[str]) -> None:
    assert said(read(text)) == errors


def test_what_is_whole_stays_in_the_partial_topology() -> None:
    loaded = read("servers: {a: u@a, b: {ssh: {port: 0, user: x}}}\ntargets: {t: 'x:80', u: 5}\n")
    assert loaded.topology is None
    assert sorted(loaded.partial.hosts) == ["a", "b", "t"]
    b = loaded.partial.hosts["b"].server
    assert b is not None
    assert (b.ssh.port, b.ssh.user) == (None, "x")
    assert list(loaded.partial.tunnels) == ["t"]


def test_x_keys_are_free_where_keys_are_fixed_and_names_elsewhere() -> None:
    found = topology("x-a: 1\nservers: {x-b: {x-c: [], ssh: {host: b, x-d: }}}\n")
    assert list(found.hosts) == ["x-b"]


def test_env_is_expanded_with_braces_and_placeholders_stay() -> None:
    text = "targets: {t: 'x:80'}\ntunnels: {t: {env: {URL: 'http://${WHO}@{host}:{port}/{{x}}', N: 5}}}\n"
    assert topology(text, WHO="me").tunnels["t"].env == {"URL": "http://me@{host}:{port}/{{x}}", "N": "5"}


def test_places_are_a_mapping() -> None:
    places = topology("servers: {a: {ssh: {host: a}}}\ntargets: {t: 'x:80'}\n").places
    assert len(places) == len(list(places)) == 6
    assert {path: str(places[path]) for path in places}["servers", "a", "ssh", "host"] == "<stdin>:1:21"
    assert ("servers", "b") not in places


def test_the_template_loads_and_so_does_what_is_commented_out() -> None:
    assert list(topology(TEMPLATE).tunnels) == ["db"]
    whole = topology(re.sub(r"^( *)# (?= *[a-z-])", r"\1", TEMPLATE, flags=re.MULTILINE))
    assert set(whole.hosts) >= {"bastion", "inner", "laptop", "edge"}
    assert whole.expectations


def test_find_file_looks_upwards(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "orchestra.yaml").touch()
    assert find_file(below) == tmp_path / "orchestra.yaml"
    (below / "orchestra.yml").touch()
    assert find_file(below) == below / "orchestra.yml"


def test_the_collector_is_as_it_was() -> None:
    assert gc.isenabled()
    with collector_off():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_model_of_a_plugin_that_raises_fails_alone() -> None:
    class Explosive(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def _explode(cls, value: Any) -> Any:
            raise RuntimeError(f"no fuse in {value}")

    words = replace(VOCABULARY, kinds={"bang": KindSpec(name="bang", fields=Explosive)})
    text = "targets: {t: 'x:80', u: 'x:81'}\ntunnels: {t: {kind: bang, bang: {}}, u: {}}\n"
    loaded = load(["-"], environ={}, vocabulary=words, stdin=text)
    [problem] = loaded.diagnostics
    assert (problem.code, str(problem.place)) == (Code.PLUGIN_FAILED, "<stdin>:2:33")
    assert "RuntimeError: no fuse in {}" in problem.message
    assert "u" in loaded.partial.tunnels


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
