"""What a file leaves out and the lab has to have: addresses, links, names."""

from __future__ import annotations

from orchestra.lab.embedded.settle import guest_name, settle
from tests.lab.embedded.build import allow, host, server, target, topology
from tests.lab.embedded.ends import GATEWAY, LAPTOP, edge, end, end_host


class TestWhatTheFileLeavesOut:
    def test_the_client_of_a_file_without_clients_is_on_the_internet(self) -> None:
        what = topology(edge(allow("internet", ports="22")), GATEWAY)
        assert end(what, "laptop", "10.20.0.2", 22) == "gateway port 22"

    def test_an_unnamed_host_of_a_network(self) -> None:
        what = topology(
            LAPTOP, edge(allow("office", "internet")), GATEWAY, host("web", "target", {"internet": "1.2.3.4"})
        )
        assert end(what, guest_name("office"), "10.20.0.2") == "gateway port 80"
        assert end(what, guest_name("office"), "1.2.3.4") == "web port 80"
        assert end(what, guest_name("internet"), "10.20.0.2") == "dropped at edge"

    def test_an_unknown_address_is_one_that_is_written_elsewhere(self) -> None:
        what = topology(GATEWAY, host("desk", "target", {"office": None}), target("desk", "10.20.0.30:5900"))
        assert end(what, "gateway", "10.20.0.30", 5900) == "desk port 5900"

    def test_made_up_addresses_differ_and_lie_in_their_networks(self) -> None:
        crowd = [host(f"h{n}", "target", {"office": None}) for n in range(5)]
        world = settle(topology(LAPTOP, GATEWAY, *crowd), "laptop")
        found = [a for each in crowd for a in world.addresses(each.name)]
        assert len(set(found)) == 10
        assert all(world.lies_in(address, "office") for address in found)
        assert all(world.lies_in(address, "internet") for address in world.addresses("laptop"))

    def test_behind_is_reached_from_there_only(self) -> None:
        hidden = host("desk", "target", {"office": "10.20.0.30"}, behind=("gateway",))
        what = topology(GATEWAY, hidden, host("other", on={"office": "10.20.0.3"}))
        assert end(what, "gateway", "10.20.0.30") == "desk port 80"
        assert end(what, "other", "10.20.0.30") == "unreachable at other"


class TestNames:
    def test_without_networks_names_lead_from_here_to_the_server_to_the_target(self) -> None:
        what = topology(host("bastion", server=server("bastion.example.com")), target("db", "db.internal:5432"))
        assert end_host(what, "localhost", "Bastion.Example.COM.") == "bastion"
        assert end_host(what, "localhost", "bastion.example.com") == "bastion"
        assert end_host(what, "bastion", "db.internal") == "db"
        assert end_host(what, "localhost", "db.internal") is None

    def test_behind_decides_which_server_knows_the_name(self) -> None:
        servers = [host(name, server=server(f"{name}.example")) for name in ("a", "b")]
        what = topology(*servers, target("db", "db.internal:5432", behind=("b",)))
        assert end_host(what, "b", "db.internal") == "db"
        assert end_host(what, "a", "db.internal") is None

    def test_a_literal_stands_for_the_machine_it_is_written_for(self) -> None:
        servers = [host(name, server=server(f"{name}.example")) for name in ("a", "b")]
        targets = [target(f"plc-{name}", "10.0.0.10:502", behind=(name,)) for name in ("a", "b")]
        what = topology(*servers, *targets)
        assert end_host(what, "a", "10.0.0.10") == "plc-a"
        assert end_host(what, "b", "10.0.0.10") == "plc-b"
        assert end_host(what, "laptop", "10.0.0.10") is None
