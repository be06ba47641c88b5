"""What ip(8), the kernel's settings and sshd's files are told."""

from orchestra.lab.netns.plumbing import Identities, bridge_commands, etc_files, machine_request, wire_commands
from tests.lab.netns.labs import CHAIN, OFFICE, layout_of


def test_every_interface_is_wired_to_the_bridge_of_its_segment(tmp_path):
    layout = layout_of(tmp_path, CHAIN)
    ids, laptop = Identities(layout), layout.of("laptop")
    interface = laptop.on("a")
    wires = wire_commands(layout, [laptop]).splitlines()
    assert wires == [
        f"link add v{interface.number} type veth peer name eth0 address {interface.mac} netns {ids.machine('laptop')}",
        f"link set v{interface.number} master {ids.segment('a')} up",
    ]
    assert bridge_commands(layout).count("type bridge") == 3


def test_names_of_any_length_become_names_that_the_kernel_takes(tmp_path):
    layout = layout_of(tmp_path, CHAIN.replace("laptop", "l" * 60))
    ids = Identities(layout)
    short = [ids.machine(name) for name in layout.machines] + [ids.segment(name) for name in layout.prefixes]
    assert len(set(short)) == len(short)
    assert max(map(len, short)) <= 15


def test_only_firewalls_forward_and_commands_go_by_family(tmp_path):
    layout = layout_of(tmp_path, OFFICE)
    edge, gateway = (machine_request(layout, layout.of(name), "drop") for name in ("edge", "gateway"))
    assert "ipv4/ip_forward=1" in edge["sysctl"].splitlines()
    assert "ipv4/ip_forward=1" not in gateway["sysctl"]
    assert "address add 10.20.0.2/32 dev eth0" in gateway["ip4"].splitlines()
    assert all(not line.startswith("-") for line in (gateway["ip4"] + gateway["ip6"]).splitlines())
    assert gateway["hosts_text"].startswith("127.0.0.1\tlocalhost\n")


def test_accounts_of_this_machine_play_no_part():
    files = etc_files("bob", 1000, 1000)
    assert [line.partition(":")[0] for line in files["/etc/passwd"].splitlines()] == ["bob", "root", "sshd"]
    assert [line.partition(":")[0] for line in etc_files("root", 0, 0)["/etc/passwd"].splitlines()] == ["root", "sshd"]
    assert "hosts: files" in files["/etc/nsswitch.conf"]
