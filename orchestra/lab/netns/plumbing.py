"""What the agent is told to make of a layout: text for ip(8) and nft(8), and settings of the kernel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestra.lab.netns.addresses import host_network
from orchestra.lab.netns.filters import Denial, filter_script
from orchestra.lab.netns.layout import Layout, Machine
from orchestra.lab.netns.names import hosts_file, names_seen_by
from orchestra.lab.netns.ways import route_commands

DIRECTORY = "/run/orchestra"
"""Where a lab keeps its files: below the lab's own /run, which nobody else sees and which goes with it."""

SWITCH_SYSCTL = "ipv6/conf/all/disable_ipv6=1\nipv6/conf/default/disable_ipv6=1\nbridge/bridge-nf-call-iptables=0\n"

_HOST_SYSCTL = (
    "ipv4/conf/all/rp_filter=0",
    "ipv4/conf/default/rp_filter=0",
    "ipv4/conf/default/arp_ignore=1",
    "ipv4/conf/default/arp_announce=2",
    "ipv4/conf/all/send_redirects=0",
    "ipv4/conf/default/send_redirects=0",
    "ipv4/conf/default/accept_redirects=0",
    "ipv6/conf/default/accept_redirects=0",
    "ipv6/conf/default/accept_ra=0",
    "ipv6/conf/default/accept_dad=0",
    "ipv6/conf/default/addr_gen_mode=1",
    "ipv4/ip_unprivileged_port_start=0",
    "ipv4/tcp_fwmark_accept=1",  # an answer needs its way before the output hook can give it one
    "ipv4/icmp_ratelimit=0",  # each dial that a filter rejects is told so
    "ipv4/icmp_msgs_per_sec=1000000",
    "ipv4/icmp_msgs_burst=10000",
    "ipv6/icmp/ratelimit=0",
)
_FIREWALL_SYSCTL = ("ipv4/ip_forward=1", "ipv6/conf/all/forwarding=1", "ipv6/conf/default/forwarding=1")
_INTERFACE_SYSCTL = ("ipv4/neigh/{}/retrans_time_ms=250", "ipv6/neigh/{}/retrans_time_ms=250")
"""Three questions for a neighbour: that nobody is there is known in 0.75 s rather than in 3 s."""


class Identities:
    """Short names for namespaces and bridges: the kernel allows 15 characters."""

    def __init__(self, layout: Layout) -> None:
        self._machines = {name: f"m{number}" for number, name in enumerate(sorted(layout.machines))}
        segments = {i.segment for machine in layout.machines.values() for i in machine.interfaces}
        self._segments = {name: f"b{number}" for number, name in enumerate(sorted(segments))}

    def machine(self, name: str) -> str:
        return self._machines[name]

    def segment(self, name: str) -> str:
        return self._segments[name]

    def hosts(self, name: str) -> str:
        """The file that is a machine's /etc/hosts."""
        return f"{DIRECTORY}/hosts.{self._machines[name]}"


def bridge_commands(layout: Layout) -> str:
    """Lines for ``ip -batch`` in the lab's own namespace: a bridge per segment."""
    ids = Identities(layout)
    segments = sorted({i.segment for machine in layout.machines.values() for i in machine.interfaces})
    return "".join(
        f"link add {ids.segment(s)} type bridge mcast_snooping 0\nlink set {ids.segment(s)} up\n" for s in segments
    )


def wire_commands(layout: Layout, machines: Iterable[Machine]) -> str:
    """Lines for ``ip -batch`` in the lab's own namespace: a wire from each interface to its bridge."""
    ids = Identities(layout)
    lines: list[str] = []
    for machine in machines:
        for interface in machine.interfaces:
            port = f"v{interface.number}"
            peer = f"name {interface.name} address {interface.mac} netns {ids.machine(machine.name)}"
            lines += [
                f"link add {port} type veth peer {peer}",
                f"link set {port} master {ids.segment(interface.segment)} up",
            ]
    return "".join(f"{line}\n" for line in lines)


def machine_request(layout: Layout, machine: Machine, denial: Denial) -> dict[str, str]:
    """What the agent has to know to make one machine."""
    ids = Identities(layout)
    commands = list(_machine_commands(layout, machine))
    sysctl = (*_HOST_SYSCTL, *(_FIREWALL_SYSCTL if machine.forwards else ()))
    return {
        "name": machine.name,
        "id": ids.machine(machine.name),
        "sysctl": "\n".join(sysctl),
        "interface_sysctl": "\n".join(line.format(i.name) for i in machine.interfaces for line in _INTERFACE_SYSCTL),
        "ip4": _batch(commands, "-4 "),
        "ip6": _batch(commands, "-6 "),
        "nft": filter_script(layout, machine, denial),
        "hosts": ids.hosts(machine.name),
        "hosts_text": hosts_file(names_seen_by(layout, machine)),
    }


def _batch(commands: Sequence[str], family: str) -> str:
    """The commands of one family: in a batch ip(8) takes it for all lines only."""
    return "".join(f"{line.removeprefix(family)}\n" for line in commands if line.startswith(family))


def _machine_commands(layout: Layout, machine: Machine) -> Iterator[str]:
    yield "-4 link set lo up"
    for interface in machine.interfaces:
        yield f"-4 link set {interface.name} up"
        yield f"-6 address add {interface.link_local}/64 dev {interface.name} scope link nodad"
        for address in interface.addresses:
            nodad = " nodad" if address.version == 6 else ""
            yield f"-{address.version} address add {host_network(address)} dev {interface.name}{nodad}"
    yield from route_commands(layout, machine)


def etc_files(user: str, uid: int, gid: int) -> dict[str, str]:
    """Private versions of files that sshd looks at: the accounts and names of this machine play no part in a lab."""
    accounts: Sequence[str] = (
        f"{user}:x:{uid}:{gid}:lab:{DIRECTORY}:/bin/sh",
        *(() if uid == 0 else ("root:x:0:0:root:/root:/bin/sh",)),
        "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin",
    )
    return {
        "/etc/passwd": "".join(f"{line}\n" for line in accounts),
        "/etc/shadow": f"{user}:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
        "/etc/resolv.conf": "",
    }
