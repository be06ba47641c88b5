"""FROM and TO as text: what they stand for, and what is said of what they cannot be."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import UsageError
from orchestra.planning.explaining.question import Destination, Ground, destination
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import client, server, target, topology
from tests.planning.office import DB, LAN, NET

HERE = client("laptop", {"net": None}, names=("laptop.example",))
GATE = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, ssh_port=2022)
OFFICE = topology(NET, LAN, HERE, GATE, DB, target("web", "80", "db"), target("db", "5432"))
ALONE = topology(HERE)


def of(text: str, from_: str = "laptop") -> Destination:
    return destination(Ground(OFFICE, "laptop", Vocabulary()).seen_from(from_), text)


@pytest.mark.parametrize(
    ("text", "host", "port", "dialed"),
    [
        ("web", "db", 80, None),
        ("db", "db", 5432, None),
        ("gate", "gate", 2022, None),
        ("gate:80", "gate", 80, None),
        ("web:81", "db", 81, None),
        ("10.1.0.9:22", "10.1.0.9:22", 22, "10.1.0.9"),
        ("[2001:db8::1]:22", "[2001:db8::1]:22", 22, "2001:db8::1"),
        ("laptop.example:80", "laptop.example:80", 80, "laptop.example"),
        ("elsewhere.example:443", "elsewhere.example:443", 443, "elsewhere.example"),
    ],
)
def test_a_target_a_host_a_port_or_an_address(text: str, host: str, port: int, dialed: str | None) -> None:
    service = of(text).service
    assert (service.host, service.port, service.text) == (host, port, dialed)


def test_a_host_without_a_port_is_its_ssh_server_and_that_is_said() -> None:
    [note] = of("gate").assumed
    assert (note.code, note.severity) == (Code.ASSUMED_SSH_PORT, "info")
    assert "port 2022" in note.message
    assert of("gate:2022").assumed == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wbe", "did you mean 'web'?"),
        ("gaet:22", "did you mean 'gate'?"),
        ("laptop", "laptop has no SSH server, so it is not clear which port: write laptop:PORT"),
        ("10.1.0.9", "10.1.0.9 has no port: write 10.1.0.9:22"),
        ("laptop.example", "laptop.example has no port"),
        ("lan", "lan is a network"),
        ("22", "names no host"),
        ("1.2.3.4:99999", "port 99999 is out of range"),
        ("-oProxyCommand:22", "is not a host name"),
    ],
)
def test_what_it_cannot_be_is_said_with_the_nearest(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        of(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::1]:80", "localhost:80", "unix:/run/x"])
def test_what_only_its_own_host_can_dial_is_on_the_one_who_asks(text: str) -> None:
    for from_ in ("laptop", "gate", "lan"):
        context = Ground(OFFICE, "laptop", Vocabulary()).seen_from(from_)
        assert destination(context, text).service.host == context.here
        assert destination(context, text, own="gate").service.host == "gate"


def test_an_undeclared_name_is_dialed_by_the_server_that_asks_or_the_only_one_or_nobody_knows() -> None:
    name = "elsewhere.example:443"
    two = topology(NET, LAN, HERE, GATE, server("spare", {"net": "203.0.113.3"}))
    ground = Ground(two, "laptop", Vocabulary())
    assert of(name).service.trusted == ("gate",)
    assert destination(ground.seen_from("laptop"), name).service.trusted is None
    assert destination(ground.seen_from("laptop"), name, direct=True).service.trusted == ("laptop",)
    assert destination(ground.seen_from("spare"), name).service.trusted == ("spare",)


def test_a_host_with_targets_but_no_server_names_them() -> None:
    bare = topology(NET, LAN, HERE, DB, target("web", "80", "db"))
    with pytest.raises(UsageError, match=r"write db:PORT, or a target on it: web \(80\)"):
        destination(Ground(bare, "laptop", Vocabulary()).seen_from("laptop"), "db")


def test_a_last_dot_insists_on_a_name_that_nobody_declares() -> None:
    assert of("gaet.:22").service.text == "gaet."


def test_from_is_a_host_or_one_unnamed_host_of_a_network() -> None:
    ground = Ground(OFFICE, "laptop", Vocabulary())
    assert ground.seen_from("gate").here == "gate"
    assert "gate" not in ground.seen_from("gate").servers
    inside = ground.seen_from("lan")
    assert inside.here == "a host of lan"
    assert inside.dialer(inside.here).networks == ("lan",)
    assert ground.seen_from("lan") is inside
    with pytest.raises(UsageError, match="did you mean 'laptop'"):
        ground.seen_from("lptop")


def test_names_are_listed_when_none_is_near() -> None:
    with pytest.raises(UsageError, match="has no target and no host 'zzz': it has laptop, "):
        destination(Ground(ALONE, "laptop", Vocabulary()).seen_from("laptop"), "zzz")


def test_without_clients_here_is_localhost() -> None:
    ground = Ground(topology(NET, GATE), "localhost", Vocabulary())
    assert ground.seen_from("localhost").here == "localhost"
