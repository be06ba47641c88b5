"""What listens where."""

from orchestra.graph import compile_world
from orchestra.model.plan import Plan
from orchestra.render.picture.sockets import sockets
from tests.render.picture import drawings

SERVICES = """\
networks: {lan: [10.0.0.0/24, "fd00::/64"]}
clients: {laptop: {networks: {lan: 10.0.0.1}}}
servers: {box: {networks: {lan: 10.0.0.2}}}
targets:
  dns: {networks: {lan: [10.0.0.53, "fd00::53"]}, address: 53, protocol: udp}
  web: {host: box, address: 80}
  files: {host: box, address: "10.0.0.2:445"}
  socket: {host: box, address: "unix:/run/x.sock"}
tunnels: {web: {listen: "*:8080"}, files: {listen: auto}}
"""


def addresses(found, host):
    return [(each.name, each.address, each.listener, each.steps) for each in found[host]]


def test_services_and_listeners(tmp_path):
    topology = drawings.read(SERVICES, tmp_path)
    found = sockets(compile_world(topology, "laptop"), drawings.planned(topology), {})
    assert addresses(found, "dns") == [("dns", "10.0.0.53:53, [fd00::53]:53/udp", False, ())]
    assert addresses(found, "box") == [
        ("files", "10.0.0.2:445", False, ()),
        ("socket", "unix:/run/x.sock", False, ()),
        ("web", ":80", False, ()),
    ]
    assert addresses(found, "laptop") == [("files", "localhost:auto", True, ()), ("web", "*:8080", True, ())]
    assert [each.exposed for each in found["laptop"]] == [False, True]
    assert found["box"][2].tunnels == ("web",)


def test_what_a_host_dials_on_itself_stands_with_the_service_or_by_itself(tmp_path):
    topology = drawings.read(SERVICES, tmp_path)
    own = {"box": {"127.0.0.1:80": {3}, "unix:/run/x.sock": {2, 1}, "127.0.0.1:99": {4}}}
    found = sockets(compile_world(topology, "laptop"), Plan(topology="t", client="laptop"), own)
    assert addresses(found, "box") == [
        ("files", "10.0.0.2:445", False, ()),
        ("socket", "unix:/run/x.sock", False, (1, 2)),
        ("web", ":80", False, (3,)),
        ("itself", "127.0.0.1:99", False, (4,)),
    ]
    assert own["box"].keys() == {"127.0.0.1:80", "unix:/run/x.sock", "127.0.0.1:99"}
