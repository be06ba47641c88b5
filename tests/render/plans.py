"""Plans made by hand, as the planner would make them, with every shape that is to be drawn."""

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.model.address import UnixPath
from orchestra.model.plan import (
    Alternative,
    Bind,
    Dial,
    Missing,
    Plan,
    PlannedListen,
    PlannedSession,
    PlannedTunnel,
    Reason,
)
from orchestra.model.topology import Tunnel

FILE = "office.yaml"


def here(*binds, **more):
    """A listener on this machine."""
    return PlannedListen(at="laptop", session=None, binds=binds, requests=binds, **more)


GATEWAY = PlannedSession(
    id="gateway",
    server="gateway",
    via=None,
    depth=1,
    dial=Dial(
        by="laptop",
        host="198.51.100.1",
        port=2222,
        means="gateway",
        reasons=(Reason(text="edge publishes gateway:22 at port 2222", place=Place(FILE, 21, 9)),),
    ),
)
INNER = PlannedSession(
    id="inner",
    server="inner",
    via="gateway",
    depth=2,
    dial=Dial(by="gateway", host="fd00::7", port=22, means="inner"),
)
OTHER = PlannedSession(
    id="other",
    server="other",
    via="gateway",
    depth=2,
    dial=Dial(by="gateway", host="10.20.0.9", port=22, means="other"),
)

DESK = PlannedTunnel(
    name="desk",
    kind="tcp",
    verdict="reachable",
    spec=Tunnel(name="desk", to="desk-vnc", from_="laptop"),
    listen=here(Bind(host="127.0.0.1", port=5920), Bind(host="::1", port=5920)),
    direction="local",
    path=("laptop", "gateway"),
    sessions=("gateway",),
    exit="gateway",
    dial=Dial(by="gateway", host="10.20.0.30", port=5900, means="desk-vnc"),
    alternatives=(Alternative(path=("laptop", "other"), cost=5),),
)
DEEP = PlannedTunnel(
    name="deep",
    kind="tcp",
    verdict="reachable",
    spec=Tunnel(name="deep", to="db", optional=True),
    listen=here(Bind(host="127.0.0.1", port=0), Bind(host="::1", port=0), chosen=True),
    direction="local",
    path=("laptop", "gateway", "inner"),
    sessions=("gateway", "inner"),
    exit="inner",
    dial=Dial(by="inner", host="db.internal", port=5432, means=None),
)
CALLBACK = PlannedTunnel(
    name="callback",
    kind="tcp",
    verdict="reachable",
    spec=Tunnel(name="callback", to="dev-web", from_="office", at="gateway"),
    listen=PlannedListen(at="gateway", session="gateway", binds=(Bind(host="10.20.0.2", port=8080),), exposed=True),
    direction="remote",
    path=("gateway", "laptop"),
    sessions=("gateway",),
    entry="gateway",
    dial=Dial(by="laptop", host="127.0.0.1", port=3000, means="laptop"),
    user=Dial(by="office", host="10.20.0.2", port=8080, means="gateway"),
)
SOCKS = PlannedTunnel(
    name="web",
    kind="socks",
    verdict="reachable",
    spec=Tunnel(name="web", kind="socks", exit="gateway"),
    listen=PlannedListen(at="laptop", session=None, unix=UnixPath("/run/web.sock")),
    direction="local",
    path=("laptop", "gateway"),
    sessions=("gateway",),
    exit="gateway",
)
PLAIN_DIAL = PlannedTunnel(
    name="near",
    kind="tcp",
    verdict="reachable",
    spec=Tunnel(name="near", to="printer"),
    listen=here(Bind(host="127.0.0.1", port=9100)),
    direction="direct",
    path=("laptop",),
    dial=Dial(by="laptop", path="/run/printer.sock", means="laptop"),
)
BLOCKED = PlannedTunnel(
    name="vault",
    kind="tcp",
    verdict="unreachable",
    spec=Tunnel(name="vault", to="vault", from_="laptop"),
    listen=here(Bind(host="127.0.0.1", port=8200)),
    path=("laptop", "gateway"),
    blocked=(
        GATEWAY.dial,
        Dial(
            by="gateway",
            host="10.30.0.8",
            port=8200,
            means="vault",
            reasons=(
                Reason(text="core lies between office and data"),
                Reason(text="core: no rule allows it", passes=False, place=Place(FILE, 33, 5)),
                Reason(
                    text="nearest: rule 'web' differs in `ports`", passes=False, place=Place(FILE, 36, 7), hint=True
                ),
            ),
        ),
    ),
    missing=(
        Missing(
            kind="firewall", at="core", from_="gateway", to="vault", address="10.30.0.8", port=8200, protocol="tcp"
        ),
        Missing(
            kind="sshd",
            at="gateway",
            from_="gateway",
            to="vault",
            address="::8",
            port=8200,
            protocol="tcp",
            setting="permit_open",
        ),
    ),
)
ELSEWHERE = PlannedTunnel(
    name="ci-db",
    kind="tcp",
    verdict="elsewhere",
    spec=Tunnel(name="ci-db", to="db", from_="runner"),
    held_by="runner",
    listen=PlannedListen(at="runner", session=None, binds=(Bind(host="127.0.0.1", port=5432),)),
)
DENIED = Diagnostic(
    code=Code.FIREWALL_DEFAULT_DENY,
    severity="error",
    tunnel="vault",
    message="gateway cannot reach vault: core has no rule that allows it",
    place=Place(FILE, 33, 5),
    path="firewalls.core.rules",
    suggestion="core would have to let gateway reach 10.30.0.8:8200/tcp",
)


def plan(*tunnels, sessions=(GATEWAY, INNER), diagnostics=()):
    """A plan seen from laptop."""
    return Plan(topology="office", client="laptop", sessions=sessions, tunnels=tunnels, diagnostics=diagnostics)
