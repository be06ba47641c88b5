"""The few questions that topology values answer by themselves."""

from orchestra.diagnostics import Place
from orchestra.model.address import Endpoint, UnixPath
from orchestra.model.topology import Host, Target, Topology


def test_a_place_is_found_at_the_value_or_at_the_nearest_that_encloses_it() -> None:
    at = Place("a.yaml", 3, 5)
    topology = Topology(name="a", file="a.yaml", places={("servers", "gateway"): at})
    assert topology.place_of("servers", "gateway", "ssh", "port") == at
    assert topology.place_of("clients") is None


def test_clients_are_listed_by_name() -> None:
    hosts = {name: Host(name=name, kind=kind) for name, kind in (("b", "client"), ("s", "server"), ("a", "client"))}  # type: ignore[arg-type]
    assert Topology(name="t", file="t", hosts=hosts).clients == ("a", "b")


def test_positions_take_no_part_in_comparisons() -> None:
    assert Host(name="a", kind="client", place=Place("x", 1, 1)) == Host(
        name="a", kind="client", place=Place("y", 2, 2)
    )


def test_a_socket_has_no_port() -> None:
    assert Target(name="t", host="h", address=UnixPath("/s")).port is None
    assert Target(name="t", host="h", address=Endpoint(None, 80)).port == 80
