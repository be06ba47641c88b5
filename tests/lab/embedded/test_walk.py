"""Where connections go: one small topology for each thing that a kernel would do with them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from orchestra.lab.embedded.settle import settle
from orchestra.lab.embedded.walk import Arrival, walk
from orchestra.model.topology import Host, Masquerade, PortForward, Topology
from tests.lab.embedded.build import allow, deny, host, topology
from tests.lab.embedded.ends import DESK, GATEWAY, LAPTOP, edge, end


class TestWhomAnAddressMeans:
    def test_loopback_is_the_dialer(self) -> None:
        what = topology(LAPTOP, GATEWAY)
        assert end(what, "laptop", "127.0.0.1") == "laptop port 80"
        assert end(what, "gateway", "127.0.0.2") == "gateway port 80"
        assert end(what, "gateway", "::1") == "gateway port 80"

    def test_its_own_address_is_the_dialer_whatever_it_filters(self) -> None:
        what = topology(host("gateway", on={"office": "10.20.0.2"}, inbound=()))
        assert end(what, "gateway", "10.20.0.2") == "gateway port 80"

    def test_on_a_network_of_its_own_it_is_reached_directly(self) -> None:
        assert end(topology(GATEWAY, DESK), "gateway", "10.20.0.30") == "desk port 80"

    def test_where_nobody_is_there_is_no_route(self) -> None:
        assert end(topology(GATEWAY, DESK), "gateway", "10.20.0.99") == "unreachable at gateway"

    def test_the_longest_prefix_decides(self) -> None:
        wide = host("wide", "target", {"corp": "10.20.0.30"})
        what = topology(host("gateway", on={"corp": "10.1.0.1"}), wide, DESK)
        assert end(what, "gateway", "10.20.0.30") == "unreachable at gateway"

    def test_a_tie_goes_to_the_dialers_own_network(self) -> None:
        one = host("one", on={"site-a": "192.168.1.2"})
        other = host("other", on={"site-b": "192.168.1.2"})
        plc_a = host("plc-a", "target", {"site-a": "192.168.1.10"})
        plc_b = host("plc-b", "target", {"site-b": "192.168.1.10"})
        what = topology(LAPTOP, one, other, plc_a, plc_b)
        assert end(what, "one", "192.168.1.10") == "plc-a port 80"
        assert end(what, "other", "192.168.1.10") == "plc-b port 80"
        assert end(what, "laptop", "192.168.1.10") == "unreachable at laptop"

    def test_a_family_that_the_dialer_lacks_has_no_route(self) -> None:
        what = topology(host("old", on={"office": "10.20.0.9"}), GATEWAY)
        assert end(what, "old", "2001:db8:20::2") == "unreachable at old"

    def test_servers_do_not_forward(self) -> None:
        between = host("between", on={"office": "10.20.0.3", "lab": "10.30.0.3"})
        what = topology(GATEWAY, between, host("deep", "target", {"lab": "10.30.0.9"}))
        assert end(what, "gateway", "10.30.0.9") == "unreachable at gateway"


class TestRules:
    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            ((), "dropped at edge"),
            ((allow(),), "gateway port 22"),
            ((deny(), allow()), "dropped at edge"),
            ((deny(ports="23"), allow()), "gateway port 22"),
            ((allow(ports="20-22"),), "gateway port 22"),
            ((allow(ports="80 443"),), "dropped at edge"),
            ((allow(protocol="udp"),), "dropped at edge"),
            ((allow(protocol="any"),), "gateway port 22"),
            ((allow("internet", "office"),), "gateway port 22"),
            ((allow("office", "internet"),), "dropped at edge"),
            ((allow("laptop", "gateway"),), "gateway port 22"),
            ((allow("laptop", "desk gateway"),), "gateway port 22"),
            ((allow("laptop", "desk"),), "dropped at edge"),
            ((allow("any", "10.20.0.0/30"),), "gateway port 22"),
            ((allow("any", "10.20.0.8/30"),), "dropped at edge"),
        ],
    )
    def test_the_first_that_matches_decides(self, rules: tuple[object, ...], expected: str) -> None:
        assert end(topology(LAPTOP, edge(*rules), GATEWAY, DESK), "laptop", "10.20.0.2", 22) == expected

    def test_ipv6_is_judged_by_the_same_rules(self) -> None:
        firewall = host(
            "edge", "firewall", {"internet": "2001:db8:1::1", "office": "2001:db8:20::1"}, rules=(allow(to="gateway"),)
        )
        assert end(topology(LAPTOP, firewall, GATEWAY), "laptop", "2001:db8:20::2") == "gateway port 80"

    def test_a_network_holds_the_addresses_of_the_networks_in_it(self) -> None:
        what = topology(LAPTOP, edge(allow(to="corp")), GATEWAY, networks=["internet", "corp", "office"])
        assert end(what, "laptop", "10.20.0.2") == "gateway port 80"

    def test_the_internet_is_what_no_other_network_holds(self) -> None:
        what = topology(LAPTOP, edge(allow(to="internet")), GATEWAY)
        assert end(what, "laptop", "10.20.0.2") == "dropped at edge"

    def test_inbound_judges_what_arrives(self) -> None:
        shy = host("gateway", on={"office": "10.20.0.2"}, inbound=(allow("desk", ports="22"),))
        what = topology(shy, DESK, host("other", "target", {"office": "10.20.0.31"}))
        assert end(what, "desk", "10.20.0.2", 22) == "gateway port 22"
        assert end(what, "desk", "10.20.0.2", 23) == "dropped at gateway"
        assert end(what, "other", "10.20.0.2", 22) == "dropped at gateway"

    def test_the_firewall_itself_meets_its_inbound_not_its_rules(self) -> None:
        assert end(topology(LAPTOP, edge(), GATEWAY), "laptop", "198.51.100.1", 22) == "edge port 22"
        assert end(topology(LAPTOP, edge(allow(), inbound=()), GATEWAY), "laptop", "10.20.0.1") == "dropped at edge"

    def test_what_a_firewall_dials_itself_meets_no_rules(self) -> None:
        assert end(topology(LAPTOP, edge(), GATEWAY), "edge", "10.20.0.2") == "gateway port 80"


class TestTheWay:
    def between(self, name: str, *networks: str, rules: object = (allow(),), **fields: object) -> Host:
        number = sum(map(ord, name)) % 200 + 20
        places = {"internet": "198.51.100", "office": "10.20.0", "lab": "10.30.0", "corp": "10.99.0"}
        return host(name, "firewall", {each: f"{places[each]}.{number}" for each in networks}, rules=rules, **fields)

    def test_the_fewest_firewalls_and_no_second_way(self) -> None:
        deep = host("deep", "target", {"lab": "10.30.0.9"})
        long_way = (self.between("a", "internet", "office"), self.between("b", "office", "lab"))
        short = self.between("z", "internet", "lab", rules=())
        assert end(topology(LAPTOP, *long_way, deep), "laptop", "10.30.0.9") == "deep port 80"
        assert end(topology(LAPTOP, *long_way, short, deep), "laptop", "10.30.0.9") == "dropped at z"

    def test_ties_go_by_name_or_by_route(self) -> None:
        a, b = self.between("a", "internet", "lab", rules=()), self.between("b", "internet", "lab")
        deep = host("deep", "target", {"lab": "10.30.0.9"})
        routed = host("laptop", "client", {"internet": None}, route={"lab": "b"})
        assert end(topology(LAPTOP, a, b, deep), "laptop", "10.30.0.9") == "dropped at a"
        assert end(topology(routed, a, b, deep), "laptop", "10.30.0.9") == "deep port 80"

    def test_a_route_in_a_circle_ends(self) -> None:
        a = self.between("a", "internet", "office", route={"lab": "b"})
        b = self.between("b", "internet", "office", route={"lab": "a"})
        c = self.between("c", "office", "lab")
        assert end(topology(LAPTOP, a, b, c), "laptop", "10.30.0.9").startswith("dropped")

    def test_every_firewall_that_lets_pass_is_counted(self) -> None:
        a, b = self.between("a", "internet", "office"), self.between("b", "office", "lab", rules=())
        deep = host("deep", "target", {"lab": "10.30.0.9"})
        found = walk(settle(topology(LAPTOP, a, b, deep), "laptop"), "laptop", ip_address("10.30.0.9"), 80)
        assert [(each.firewall, each.port) for each in found.passed] == [("a", 80)]


class TestNat:
    FORWARD = PortForward(network="internet", port=2222, host="gateway", to_port=22)

    def nat(self, *rules: object, nat: tuple[object, ...] = (FORWARD, Masquerade(network="internet"))) -> Topology:
        return topology(LAPTOP, edge(*rules, nat=nat), GATEWAY, DESK, host("web", "target", {"internet": "192.0.2.9"}))

    def test_what_is_published_is_handed_on(self) -> None:
        assert end(self.nat(allow(to="gateway", ports="22")), "laptop", "198.51.100.1", 2222) == "gateway port 22"

    def test_nat_permits_nothing(self) -> None:
        assert end(self.nat(), "laptop", "198.51.100.1", 2222) == "dropped at edge"
        assert end(self.nat(allow(ports="2222")), "laptop", "198.51.100.1", 2222) == "dropped at edge"

    def test_it_is_for_what_arrives_from_its_network(self) -> None:
        assert end(self.nat(allow()), "desk", "198.51.100.1", 2222) == "edge port 2222"

    def test_other_ports_are_the_firewalls_own(self) -> None:
        assert end(self.nat(allow()), "laptop", "198.51.100.1", 2223) == "edge port 2223"

    def test_what_is_masqueraded_is_not_reached_from_there(self) -> None:
        assert end(self.nat(allow()), "laptop", "10.20.0.2", 22) == "unreachable at edge"

    def test_who_is_masqueraded_bears_the_firewalls_address(self) -> None:
        found = walk(settle(self.nat(allow()), "laptop"), "desk", ip_address("192.0.2.9"), 80)
        assert isinstance(found, Arrival)
        assert str(found.flow.source) == "198.51.100.1"

    def test_rules_see_the_source_before_masquerade(self) -> None:
        assert end(self.nat(allow("desk")), "desk", "192.0.2.9") == "web port 80"
        assert end(self.nat(allow("edge")), "desk", "192.0.2.9") == "dropped at edge"

    def test_what_comes_back_to_its_dialer_bears_its_own_address_and_is_dropped(self) -> None:
        around = PortForward(network="office", port=2222, host="desk", to_port=22)
        assert end(self.nat(allow(), nat=(around,)), "desk", "10.20.0.1", 2222) == "dropped at desk"
        hidden = self.nat(allow(), nat=(around, Masquerade(network="office")))
        assert end(hidden, "desk", "10.20.0.1", 2222) == "desk port 22"
        assert end(self.nat(allow(), nat=(around,)), "gateway", "10.20.0.1", 2222) == "desk port 22"
