"""Addresses that a file leaves open."""

from ipaddress import ip_address, ip_network

from orchestra.lab.netns.addresses import Pools, host_network


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


def test_a_network_of_two_families_gives_one_of_each():
    cidrs = [ip_network("2001:db8::/64"), ip_network("10.0.0.0/24"), ip_network("10.1.0.0/24")]
    four, six = Pools(cidrs, []).choose(cidrs)
    assert four in cidrs[1]
    assert six in cidrs[0]


def test_a_point_to_point_network_has_two_ends():
    pools, cidr = Pools([], []), [ip_network("10.0.0.0/31")]
    assert {*pools.choose(cidr), *pools.choose(cidr)} == {ip_address("10.0.0.0"), ip_address("10.0.0.1")}


def test_the_network_of_one_address():
    assert str(host_network(ip_address("10.0.0.1"))) == "10.0.0.1/32"
    assert str(host_network(ip_address("::1"))) == "::1/128"
