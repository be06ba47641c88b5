"""Which names each machine resolves, and to what."""

from orchestra.lab.netns.names import hosts_file, names_seen_by
from tests.lab.netns.labs import CHAIN, OFFICE, layout_of


def test_names_that_differ_by_network(tmp_path):
    text = OFFICE.replace(
        "desk: {networks", "desk: {names: {office: [desk.lan], internet: [desk.example]}, networks"
    ).replace("laptop: {networks: [internet]}", "laptop: {networks: [internet]}, near: {networks: [office]}")
    layout = layout_of(tmp_path, text)
    near = names_seen_by(layout, layout.of("near"))
    assert near["desk.lan"] == ("10.20.0.30",)
    assert "desk.lan" not in names_seen_by(layout, layout.of("laptop"))
    assert "10.20.0.30\tdesk.lan\n" in hosts_file(near)


def test_localhost_is_the_dialer_and_a_file_lists_each_address():
    assert hosts_file({"localhost": ("127.0.0.1", "::1")}) == "127.0.0.1\tlocalhost\n::1\tlocalhost\n"


def test_of_several_addresses_a_dialer_is_told_those_it_shares_or_has_a_way_to(tmp_path):
    text = (
        CHAIN
        + """
    targets:
      web: {networks: {a: 10.1.0.30, c: 10.3.0.30}, names: [Web.Example.], address: 80}
    """.replace("\n    ", "\n").replace("\n", "\n    ")
    )
    layout = layout_of(tmp_path, text)
    assert names_seen_by(layout, layout.of("laptop"))["web.example"] == ("10.1.0.30",)
    assert names_seen_by(layout, layout.machines["someone on b"])["web.example"] == ("10.1.0.30", "10.3.0.30")
