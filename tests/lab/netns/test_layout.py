"""What a topology becomes: machines, segments, addresses, and what nft is told."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from orchestra.lab.credentials import make_credentials
from orchestra.lab.netns.addresses import Pools
from orchestra.lab.netns.filters import filter_script
from orchestra.lab.netns.layout import make_layout
from orchestra.lab.netns.names import hosts_file, names_seen_by
from orchestra.lab.netns.services import sshd_config
from orchestra.lab.netns.ways import distances, firewalls_to, next_hop
from orchestra.model.topology import Forwarding
from tests.lab.netns.labs import OFFICE, topology

CHAIN = """
    networks: {a: 10.1.0.0/24, b: 10.2.0.0/24, c: 10.3.0.0/24}
    clients: {laptop: {networks: {a: 10.1.0.9}}}
    firewalls:
      one: {networks: {a: 10.1.0.1, b: 10.2.0.1}}
      two: {networks: {b: 10.2.0.2, c: 10.3.0.2}}
      zwo: {networks: {b: 10.2.0.3, c: 10.3.0.3}}
"""


def layout_of(tmp_path, text, client="laptop"):
    return make_layout(topology(tmp_path, text), client)


def test_unknown_addresses_are_free_and_lie_in_the_network():
    declared = ip_address("10.0.0.254")
    pools = Pools([ip_network("10.0.0.0/24"), ip_network("198.18.0.0/16")], [declared])
    assert pools.choose([ip_network("10.0.0.0/24")]) == (ip_address("10.0.0.253"),)
    assert pools.choose([ip_network("10.0.0.0/24")]) == (ip_address("10.0.0.252"),)
    outside = pools.choose([])
    assert [address.version for address in outside] == [4, 6]
    assert outside[0] not in ip_network("198.18.0.0/15")


def test_a_range_that_is_used_up_gives_nothing():
    pools = Pools([], [ip_address("10.0.0.1")])
    assert pools.choose([ip_network("10.0.0.0/30")]) == (ip_address("10.0.0.2"),)
    assert pools.choose([ip_network("10.0.0.0/30")]) == ()


def test_a_client_that_is_not_in_the_file_dials_the_servers_by_their_text(tmp_path):
    layout = layout_of(tmp_path, "servers: {gw: ops@gw.example}\ntargets: {web: 'web.lan:80'}\n", "localhost")
    assert set(layout.machines) == {"localhost", "gw", "web"}
    here, gateway = layout.of("localhost"), layout.of("gw")
    assert [i.segment for i in here.interfaces] == ["to gw"]
    assert [i.segment for i in gateway.interfaces] == ["to gw", "to web"]
    assert set(names_seen_by(layout, here)) == {"localhost", "gw.example"}
    web = names_seen_by(layout, gateway)["web.lan"]
    assert web == tuple(str(address) for address in layout.of("web").addresses)


def test_accounts_of_one_machine_are_one_namespace(tmp_path):
    text = """
        networks: {office: 10.20.0.0/24}
        clients: {laptop: {networks: [office]}}
        servers:
          alice: {networks: {office: 10.20.0.2}, ssh: {user: alice}}
          bob: {networks: {office: 10.20.0.2}, ssh: {user: bob}}
        targets: {web: {host: bob, address: 80}}
    """
    layout = layout_of(tmp_path, text)
    assert layout.of("alice") is layout.of("bob")
    assert layout.of("alice").hosts == ("alice", "bob")


def test_a_text_that_is_declared_means_the_declared_host(tmp_path):
    text = """
        networks: {office: 10.20.0.0/24}
        clients: {laptop: {networks: [office]}}
        servers: {gw: {networks: {office: 10.20.0.2}, names: [gw.lan]}}
        targets: {web: "GW.lan:80", page: "10.20.0.2:81"}
    """
    layout = layout_of(tmp_path, text)
    assert layout.of("web") is layout.of("page") is layout.of("gw")


def test_names_that_differ_by_network(tmp_path):
    text = OFFICE.replace(
        "desk: {networks", "desk: {names: {office: [desk.lan], internet: [desk.example]}, networks"
    ).replace("laptop: {networks: [internet]}", "laptop: {networks: [internet]}, near: {networks: [office]}")
    layout = layout_of(tmp_path, text)
    near = names_seen_by(layout, layout.of("near"))
    assert near["desk.lan"] == ("10.20.0.30",)
    assert "desk.lan" not in names_seen_by(layout, layout.of("laptop"))
    assert "10.20.0.30\tdesk.lan\n" in hosts_file(near)


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


def test_rules_keep_their_order_and_their_families(tmp_path):
    text = """
        networks: {internet: , office: [10.20.0.0/24, "2001:db8::/64"]}
        clients: {laptop: {networks: [internet]}}
        firewalls:
          edge:
            networks: {internet: 198.51.100.1, office: [10.20.0.1, "2001:db8::1"]}
            rules:
              - deny: {from: internet, to: 10.20.0.5/32, ports: [22], protocol: any}
              - allow: {from: any, to: office, ports: [22, 80-90]}
    """
    script = filter_script(layout_of(tmp_path, text), layout_of(tmp_path, text).of("edge"))
    lines = [line.strip() for line in script.partition("chain between")[2].splitlines()]
    count = "add @passed { meta l4proto . th dport } accept"
    assert lines[3:6] == [
        "ip saddr != { 10.20.0.0/24 } ip daddr { 10.20.0.5/32 } meta l4proto { tcp, udp } th dport { 22 } drop",
        f"ip daddr {{ 10.20.0.0/24 }} meta l4proto tcp th dport {{ 22, 80-90 }} {count}",
        f"ip6 daddr {{ 2001:db8::/64 }} meta l4proto tcp th dport {{ 22, 80-90 }} {count}",
    ]
    assert lines[6] == "drop"


def test_only_firewalls_forward_and_only_inbound_filters(tmp_path):
    layout = layout_of(tmp_path, OFFICE)
    script = filter_script(layout, layout.of("gateway"))
    assert "hook forward" not in script
    assert "policy drop" not in script


def test_sshd_is_told_what_the_file_permits(tmp_path):
    credentials = make_credentials(topology(tmp_path, OFFICE), tmp_path, user="bob")
    forwarding = Forwarding()
    config = sshd_config(forwarding, [22, 2222], credentials, "gateway", (9, 2)).splitlines()
    assert config[:2] == ["Port 22", "Port 2222"]
    assert {"AllowTcpForwarding yes", "GatewayPorts no", "PermitOpen any", "PermitListen any"} <= set(config)
    assert not any(line.startswith(("PerSource", "ForceCommand")) for line in config)
    strict = replace(
        forwarding,
        local=False,
        unix=False,
        exec=False,
        gateway_ports="yes",
        permit_open=(),
        permit_listen=("*:80", "x:1"),
    )
    config = sshd_config(strict, [22], credentials, "gateway", (9, 8)).splitlines()
    assert {
        "AllowTcpForwarding remote", "AllowStreamLocalForwarding no", "GatewayPorts yes", "PermitOpen none",
        "PermitListen *:80 x:1", "PerSourcePenalties no", "ForceCommand exit 1",
    } <= set(config)  # fmt: skip
