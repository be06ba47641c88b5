"""What servers have to permit, for programs."""

from orchestra.model.address import Endpoint
from orchestra.model.plan import Plan
from orchestra.planning.authorize import Needs, Use
from orchestra.render.authorize_json import authorize_json
from orchestra.render.authorize_text import Limits


def test_one_object_for_each_server():
    uses = (Use("gate", "open", "tunnel db", Endpoint("db", 5432)), Use("gate", "listen unproven", "tunnel web"))
    need = Needs(server="gate", user="alice", uses=uses, dialed_by=frozenset({"here"}))
    document = authorize_json(Plan(topology="office", client="here"), [(need, None, Limits())])
    (found,) = document.pop("servers")
    assert document == {"format_version": 1, "topology": "office", "client": "here"}
    assert found.pop("authorized_keys").endswith("PUBLIC-KEY")
    assert found.pop("sshd_config").endswith("MaxSessions 0")
    assert found == {
        "server": "gate",
        "user": "alice",
        "permit_open": ["db:5432"],
        "permit_listen": ["none"],
        "gateway_ports": "no",
        "unix": {"open": [], "listen": []},
        "exec": [],
        "unproven": ["tunnel web"],
        "reasons": [
            {"act": "open", "at": "db:5432", "for": "tunnel db"},
            {"act": "listen unproven", "at": None, "for": "tunnel web"},
        ],
        "public_key": None,
    }
