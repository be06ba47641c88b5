"""Where dials pass: networks, firewalls, and what decides there."""

from orchestra.graph import compile_world, dialer_at
from orchestra.model.plan import Dial, Reason
from orchestra.render.picture.passages import passage
from tests.render.picture import drawings


def passed(topology, dial, here="laptop"):
    world = compile_world(topology, here)
    found = passage(world, dialer_at(world, dial.by), dial, "tcp")
    return [stop.name for stop in found.way], found.denied, [(at, mark.text) for at, mark in found.marks]


def test_host_network_firewall_network_host(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    assert passed(topology, Dial(by="gateway", host="10.30.0.8", port=443, means="db")) == (
        ["gateway", "office", "core", "vault", "db"],
        None,
        [("core", "web")],
    )


def test_what_is_believed_passes_whatever_the_networks_say(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    way, denied, marks = passed(topology, Dial(by="gateway", host="db", port=5432, means="db"))
    assert (way[0], way[-1], denied, marks) == ("gateway", "db", None, [])


def test_what_no_network_says_is_marked_at_the_dialer(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    reason = Reason(text="sshd of gateway permits no such dial", passes=False)
    _, denied, marks = passed(topology, Dial(by="gateway", host="10.20.0.80", port=80, means="wiki", reasons=(reason,)))
    assert (denied, marks) == (0, [("gateway", reason.text)])


def test_a_dial_of_oneself_goes_nowhere(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    assert passed(topology, Dial(by="gateway", host="127.0.0.1", port=5930, means="gateway"))[0] == ["gateway"]
    assert passed(topology, Dial(by="gateway", path="/run/x.sock", means="gateway"))[0] == ["gateway"]


def test_an_address_that_nobody_declared_ends_at_a_stranger(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    way, _, _ = passed(topology, Dial(by="gateway", host="10.20.0.99", port=80))
    assert way == ["gateway", "office", "gateway>10.20.0.99:80"]


def test_an_inbound_filter_is_marked_at_its_host():
    topology = drawings.read("topologies/vnc-loopback.yaml")
    _, denied, marks = passed(topology, Dial(by="laptop", host="198.51.100.7", port=22, means="workstation"))
    assert (denied, marks) == (None, [("workstation", "inbound: ssh")])
