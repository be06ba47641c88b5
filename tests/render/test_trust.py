"""What became of the servers' host keys, as text and as JSON."""

from orchestra.diagnostics import Code
from orchestra.model.plan import Dial, PlannedSession
from orchestra.plugin.interfaces import Identity, Look
from orchestra.render.trust import trust_json, trust_line
from orchestra.session.errors import OpenFailed

SESSION = PlannedSession(
    id="gw", server="gw", via=None, dial=Dial(by="laptop", host="198.51.100.1", port=2222), depth=1
)
SEEN = Identity(
    name="[gw]:2222", key=b"k", algorithm="ssh-ed25519", fingerprint="SHA256:x", standing="known", evidence=("f:3",)
)


def test_lines():
    known = Look(session=SESSION, standing="known", identity=SEEN)
    assert trust_line(known, width=4) == "gw    known        ssh-ed25519 SHA256:x  f:3"
    written = Look(session=SESSION, standing="written", identity=SEEN, file="/k\x1b[2J")
    assert trust_line(written) == "gw  written      ssh-ed25519 SHA256:x  /k·[2J"
    lost = Look(session=SESSION, standing="unreachable")
    assert trust_line(lost) == "gw  unreachable  laptop dials 198.51.100.1:2222"


def test_json():
    error = OpenFailed(Code.HOST_KEY_CHANGED, "it changed")
    looks = [Look(session=SESSION, standing="changed", identity=SEEN, error=error)]
    assert trust_json(looks) == {
        "format_version": 1,
        "servers": [
            {
                "server": "gw",
                "session": "gw",
                "standing": "changed",
                "dial": {"by": "laptop", "host": "198.51.100.1", "port": 2222},
                "name": "[gw]:2222",
                "key": {"type": "ssh-ed25519", "fingerprint": "SHA256:x"},
                "known_at": ["f:3"],
                "file": None,
                "error": {"code": "HOST_KEY_CHANGED", "message": "it changed"},
            }
        ],
    }
    assert trust_json([Look(session=SESSION, standing="unreachable")])["servers"][0]["key"] is None
