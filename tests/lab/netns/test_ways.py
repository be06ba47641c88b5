"""Where each machine sends what is not its own, and by which way it answers."""

from orchestra.lab.netns.ways import distances, firewalls_to, next_hop, origins, route_commands
from tests.lab.netns.labs import CHAIN, OFFICE, layout_of


def test_ways(tmp_path):
    layout = layout_of(tmp_path, CHAIN)
    assert distances(layout, "c") == {"one": 2, "two": 1, "zwo": 1}
    assert [firewalls_to(layout, layout.of("laptop"), name) for name in ("a", "b", "c")] == [0, 1, 2]
    own, theirs = next_hop(layout, layout.of("one"), "c")
    assert (own.segment, theirs) == ("b", layout.of("two").on("b"))
    assert firewalls_to(layout, layout.machines["someone on c"], "a") == 2


def test_a_route_to_what_is_no_neighbour_leads_nowhere(tmp_path):
    layout = layout_of(tmp_path, CHAIN.replace("10.1.0.9}}", "10.1.0.9}, route: {c: two}}"))
    assert next_hop(layout, layout.of("laptop"), "c") is None
    assert next_hop(layout, layout.of("laptop"), "b") is not None


def test_routes_lead_to_the_next_firewall_and_nowhere_where_there_is_no_way(tmp_path):
    layout = layout_of(tmp_path, CHAIN)
    laptop, one = layout.of("laptop"), layout.of("one")
    routes = list(route_commands(layout, laptop))
    way = f"via inet6 {one.on('a').link_local} dev eth0"
    assert f"-4 route replace 10.3.0.0/24 {way} metric 100" in routes
    assert "-4 route replace 10.1.0.0/24 dev eth0 metric 10" in routes
    lost = layout_of(tmp_path, CHAIN.replace("10.1.0.9}}", "10.1.0.9}, route: {c: two}}"))
    assert "-4 route replace throw 10.3.0.0/24 metric 1000" in list(route_commands(lost, lost.of("laptop")))


def test_whoever_asks_is_answered_by_the_way_of_the_question(tmp_path):
    layout = layout_of(tmp_path, OFFICE)
    edge, gateway = layout.of("edge"), layout.of("gateway")
    by_firewall, by_neighbour = origins(layout, gateway)
    assert (by_firewall.mac, by_firewall.gateway) == (edge.on("office").mac, str(edge.on("office").link_local))
    assert (by_neighbour.interface, by_neighbour.mac) == ("eth0", None)
    commands = list(route_commands(layout, gateway))
    for origin in (by_firewall, by_neighbour):
        assert f"-4 rule add fwmark {origin.mark} lookup {1000 + origin.mark} pref {100 + origin.mark}" in commands
