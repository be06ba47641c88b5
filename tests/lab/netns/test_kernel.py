"""Rules, translation and routes: what the kernel makes of a topology is what the file says."""

import asyncio

import pytest

from tests.lab.netns.labs import ask, lab_of, needs_namespaces

pytestmark = needs_namespaces
NO = "DIAL_FAILED"


def verdicts(tmp_path, text, dials, client="laptop"):
    """Each dial ``(who, host, port)``, and what came back; ``who`` may be ``guest NETWORK``."""

    async def run():
        async with lab_of(tmp_path, text, client) as lab:
            places = {who: lab.guest(who[6:]) if who.startswith("guest ") else lab.place(who) for who, _, _ in dials}
            answers = await asyncio.gather(*(ask(places[who], host, port) for who, host, port in dials))
            return [answer.partition(" ")[0] for answer in answers]

    return asyncio.run(run())


def test_the_first_rule_that_matches_decides(tmp_path):
    text = """
        networks: {internet: , office: 10.20.0.0/24}
        clients: {laptop: {networks: {internet: 198.51.100.7}}, other: {networks: {internet: 198.51.100.8}}}
        firewalls:
          edge:
            networks: {internet: 198.51.100.1, office: 10.20.0.1}
            rules:
              - deny: {from: 198.51.100.8/32, to: office, ports: [80]}
              - allow: {from: internet, to: office, ports: [80, 8000-8010]}
              - deny: {from: any, to: any, protocol: any}
              - allow: {from: any, to: any, protocol: any}
        targets:
          web: {networks: {office: 10.20.0.30}, address: 80}
          low: {host: web, address: 8000}
          high: {host: web, address: 8010}
          beyond: {host: web, address: 8011}
    """
    dials = [("laptop", "10.20.0.30", port) for port in (80, 8000, 8010, 8011)]
    dials += [("other", "10.20.0.30", port) for port in (80, 8000)]
    assert verdicts(tmp_path, text, dials) == ["web", "low", "high", NO, NO, "low"]


NAT = """
    networks: {internet: , home: 192.168.10.0/24}
    clients: {laptop: {networks: [internet]}}
    firewalls:
      router:
        networks: {internet: 198.51.100.1, home: 192.168.10.1}
        rules:
          - allow: {from: internet, to: nas, ports: [80]}
          - allow: {from: home, to: any, protocol: any}
        nat:
          - {network: internet, port: 8080, to: "nas:80"}
          - {network: internet, port: 8081, to: "nas:81"}
          - {network: internet, masquerade: true}
    targets:
      nas: {networks: {home: 192.168.10.2}, address: 80}
      closed: {host: nas, address: 81}
      page: {networks: {internet: 203.0.113.5}, address: 80}
"""


def test_nat_publishes_and_permits_nothing_by_itself(tmp_path):
    dials = [("laptop", "198.51.100.1", 8080), ("laptop", "198.51.100.1", 8081), ("guest home", "198.51.100.1", 8080)]
    assert verdicts(tmp_path, NAT, dials) == ["nas", NO, "CONNECT_REFUSED"]


def test_what_is_masqueraded_is_not_reached_from_outside(tmp_path):
    dials = [("laptop", "192.168.10.2", 80), ("guest home", "203.0.113.5", 80)]
    assert verdicts(tmp_path, NAT, dials) == [NO, "page"]


def test_masquerade_shows_the_firewall_s_address(tmp_path):
    async def run():
        async with lab_of(tmp_path, NAT) as lab:
            listening = lab.place("page")
            peers = asyncio.Queue()

            async def accept(peer):
                peers.put_nowait(peer.host)
                raise ConnectionAbortedError

            listener = await listening.create_server(accept, "203.0.113.5", 0)
            sock = await lab.dial("nas", "203.0.113.5", listener.port)
            sock.close()
            return await peers.get()

    assert asyncio.run(run()) == "198.51.100.1"


def test_inbound_filters_others_and_never_itself(tmp_path):
    text = """
        networks: {office: 10.20.0.0/24, lab: 10.30.0.0/24}
        clients: {laptop: {networks: {office: 10.20.0.9}}}
        firewalls:
          edge:
            networks: {office: 10.20.0.1, lab: 10.30.0.1}
            inbound:
              - allow: {from: laptop, to: any, ports: [22]}
            ssh: {}
        targets:
          web:
            networks: {office: 10.20.0.30}
            address: 80
            inbound: [{allow: {from: laptop, to: any, ports: [80]}}]
          local: {host: web, address: "127.0.0.1:81"}
          other: {host: web, address: 82}
    """
    dials = [
        ("laptop", "10.20.0.30", 80), ("guest office", "10.20.0.30", 80), ("laptop", "10.20.0.30", 82),
        ("web", "127.0.0.1", 81), ("web", "10.20.0.30", 82),
        ("laptop", "10.30.0.1", 22), ("guest office", "10.20.0.1", 22),
    ]  # fmt: skip
    answers = verdicts(tmp_path, text, dials)
    assert answers[:5] == ["web", NO, NO, "local", "other"]
    assert answers[5].startswith("SSH-2.0")
    assert answers[6] == NO


def test_one_address_at_two_sites(tmp_path):
    text = """
        networks: {internet: , site-a: 10.0.0.0/24, site-b: 10.0.0.0/24}
        clients: {laptop: {networks: [internet]}}
        servers:
          gate-a: {networks: {internet: 198.51.100.21, site-a: 10.0.0.2}}
          gate-b: {networks: {internet: 198.51.100.22, site-b: 10.0.0.2}}
        targets:
          heating-a: {networks: {site-a: 10.0.0.10}, address: 80}
          heating-b: {networks: {site-b: 10.0.0.10}, address: 80}
    """
    dials = [("gate-a", "10.0.0.10", 80), ("gate-b", "10.0.0.10", 80), ("laptop", "10.0.0.10", 80)]
    assert verdicts(tmp_path, text, dials) == ["heating-a", "heating-b", NO]


def test_a_network_without_ipv4(tmp_path):
    text = """
        networks: {internet: , field: "2001:db8:20::/64"}
        clients: {laptop: {networks: {internet: "2001:db8:ffff::7"}}}
        firewalls:
          edge:
            networks: {internet: "2001:db8:1::1", field: "2001:db8:20::1"}
            rules: [{allow: {from: internet, to: sensor, ports: [80]}}]
        targets:
          sensor: {networks: {field: "2001:db8:20::30"}, address: "[2001:db8:20::30]:80"}
          shut: {host: sensor, address: 81}
    """
    dials = [
        ("laptop", "2001:db8:20::30", 80),
        ("laptop", "2001:db8:20::30", 81),
        ("guest field", "2001:db8:20::30", 81),
    ]
    answers = verdicts(tmp_path, text, dials)
    assert (answers[0], answers[2]) == ("sensor", "shut")
    assert answers[1] in (NO, "LISTEN_NOT_PERMITTED", "CONNECT_REFUSED")


TWO_WAYS = """
    networks: {west: 10.1.0.0/24, mid: 10.2.0.0/24, east: 10.3.0.0/24}
    clients: {laptop: {networks: {west: 10.1.0.9}%s}}
    firewalls:
      alpha:
        networks: {west: 10.1.0.1, east: 10.3.0.1}
        rules: [{allow: {from: west, to: east, ports: [80]}}]
      beta:
        networks: {west: 10.1.0.2, east: 10.3.0.2}
        rules: [{allow: {from: west, to: east, ports: [81]}}]
      gamma:
        networks: {west: 10.1.0.3, mid: 10.2.0.3}
        route: {east: delta}
        rules: [{allow: {from: west, to: east, ports: [82]}}]
      delta:
        networks: {mid: 10.2.0.4, east: 10.3.0.4}
        rules: [{allow: {from: west, to: east, ports: [82]}}]
    targets:
      web: {networks: {east: 10.3.0.30}, address: 80}
      two: {host: web, address: 81}
      far: {host: web, address: 82}
"""


@pytest.mark.parametrize(
    ("route", "expected"),
    [("", ["web", NO, NO]), (", route: {east: beta}", [NO, "two", NO]), (", route: {east: gamma}", [NO, NO, "far"])],
)
def test_fewest_firewalls_then_name_or_as_route_says_and_replies_the_same_way(tmp_path, route, expected):
    text = TWO_WAYS.replace("}%s}}", "}" + route + "}}")
    dials = [("laptop", "10.3.0.30", port) for port in (80, 81, 82)]
    assert verdicts(tmp_path, text, dials) == expected


def test_two_firewalls_in_a_row_and_none_forwards_but_firewalls(tmp_path):
    text = """
        networks: {a: 10.1.0.0/24, b: 10.2.0.0/24, c: 10.3.0.0/24, d: 10.4.0.0/24}
        clients: {laptop: {networks: {a: 10.1.0.9}}}
        firewalls:
          one: {networks: {a: 10.1.0.1, b: 10.2.0.1}, rules: [{allow: {from: a, to: any, ports: [80]}}]}
          two: {networks: {b: 10.2.0.2, c: 10.3.0.2}, rules: [{allow: {from: a, to: c, ports: [80]}}]}
        servers:
          both: {networks: {a: 10.1.0.5, d: 10.4.0.5}}
        targets:
          web: {networks: {c: 10.3.0.30}, address: 80}
          off: {networks: {d: 10.4.0.30}, address: 80}
    """
    dials = [
        ("laptop", "10.3.0.30", 80),
        ("guest b", "10.3.0.30", 80),
        ("laptop", "10.4.0.30", 80),
        ("both", "10.4.0.30", 80),
    ]
    assert verdicts(tmp_path, text, dials) == ["web", NO, NO, "off"]
