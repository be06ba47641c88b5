"""What a topology becomes: machines and the segments that they are on."""

from orchestra.lab.netns.layout import guest_name
from orchestra.lab.netns.names import names_seen_by
from tests.lab.netns.labs import OFFICE, layout_of


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


def test_every_network_has_an_unnamed_host_and_every_wire_an_end_of_its_own(tmp_path):
    layout = layout_of(tmp_path, OFFICE)
    assert {guest_name("internet"), guest_name("office")} <= set(layout.machines)
    assert layout.machines[guest_name("office")].hosts == ()
    ends = [interface for machine in layout.machines.values() for interface in machine.interfaces]
    assert len({end.mac for end in ends}) == len({end.link_local for end in ends}) == len(ends)
    assert [machine.name for machine in layout.machines.values() if machine.forwards] == ["edge"]


def test_what_is_behind_a_host_is_wired_to_that_host_alone(tmp_path):
    text = """
        servers: {outer: ops@203.0.113.9, inner: {ssh: {host: inner.lan}, behind: outer}}
        targets: {db: {address: "10.9.8.7:5432", behind: inner}}
    """
    layout = layout_of(tmp_path, text, "localhost")
    wires = {segment: {machine.name for machine in layout.on(segment)} for segment in layout.prefixes}
    assert wires == {"to outer": {"localhost", "outer"}, "to inner": {"outer", "inner"}, "to db": {"inner", "db"}}
    assert str(layout.of("db").addresses[0]) == "10.9.8.7"
