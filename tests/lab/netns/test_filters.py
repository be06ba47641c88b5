"""What nft is told of rules, of inbound and of nat; that the kernel takes it so is in :mod:`.test_kernel`."""

from orchestra.lab.netns.filters import filter_script
from tests.lab.netns.labs import OFFICE, layout_of


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


NAT = """
    networks: {internet: , home: 192.168.10.0/24}
    clients: {laptop: {networks: {internet: 203.0.113.7}}}
    firewalls:
      router:
        networks: {internet: 198.51.100.1, home: 192.168.10.1}
        nat:
          - {network: internet, port: 8080, to: "nas:80"}
          - {network: internet, port: 2222, to: "router:22"}
          - {network: internet, masquerade: true}
    targets:
      nas:
        networks: {home: 192.168.10.2}
        address: 80
        inbound: [{allow: {from: home, to: any, ports: [80]}}, {allow: {from: any, to: any, protocol: any}}]
"""


def test_nat_is_before_the_rules_and_masquerade_after_them(tmp_path):
    layout = layout_of(tmp_path, NAT)
    router = layout.of("router")
    inside, outside = router.on("home").name, router.on("internet").name
    script = filter_script(layout, router)
    assert (
        f'iifname "{outside}" ip daddr {{ 192.168.10.1, 198.51.100.1 }} tcp dport 8080 dnat ip to 192.168.10.2:80'
        in script
    )
    assert f'iifname "{outside}" fib daddr type local tcp dport 2222 redirect to :22' in script
    assert f'oifname "{outside}" masquerade' in script
    assert f'iifname "{outside}" ct state new ct status ! dnat drop' in script
    assert f'iifname "{inside}" ct state new ct status' not in script


def test_inbound_denies_in_silence_or_says_so_and_never_to_itself(tmp_path):
    layout = layout_of(tmp_path, NAT)
    silent, loud = (filter_script(layout, layout.of("nas"), denial) for denial in ("drop", "reject"))
    lines = [line.strip() for line in silent.partition("chain inbound")[2].splitlines()]
    assert lines[2:4] == ['iifname "lo" accept', "ct state established,related accept"]
    assert "ip saddr { 192.168.10.0/24 } meta l4proto tcp th dport { 80 } accept" in lines
    assert lines[-4:-1] == ["accept", "drop", "}"]
    assert "reject with icmpx admin-prohibited" in loud
