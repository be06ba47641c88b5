"""Checks against the real servers, each through a tunnel over OpenSSH, and what those servers say of it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestra.assembly.topology import load_topology, plugins
from orchestra.engine import Engine
from orchestra.model.status import TunnelStatus
from orchestra.model.topology import CheckRef
from orchestra.planning import make_plan
from orchestra.session.here import Here
from orchestra.testing.checks import Dialing
from tests.acceptance.servers import PASSWORD, RECIPES, Served, serving
from tests.acceptance.world import Log, World
from tests.engine.ssh.sshd import Keys, needs_sshd, sshd
from tests.plugins.checks.certificates import NAME, Certificates

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="some servers start as root only")
pytestmark = [needs_sshd, needs_root, pytest.mark.xdist_group("servers")]

VERIFIED = f"host: {NAME}, ca: ca.pem"
GOOD = {
    "redis-server": [
        ("redis", "redis"),
        ("redis", "{type: redis, password: {env: REDIS_PASSWORD}}"),
        ("rediss", f"{{type: redis, tls: yes, {VERIFIED}, user: default, password: {{env: REDIS_PASSWORD}}}}"),
        ("redis", '{type: banner, send: "PING\\r\\n", expect: NOAUTH, farewell: "QUIT\\r\\n"}'),
    ],
    "postgres": [
        ("postgres", "postgres"),
        ("postgres", f"{{type: postgres, tls: yes, {VERIFIED}, user: alice}}"),
    ],
    "dovecot": [
        ("imap", "imap"),
        ("pop3", "pop3"),
        ("imaps", f"{{type: imap, tls: yes, {VERIFIED}}}"),
        ("pop3s", "{type: pop3, tls: yes, insecure: yes}"),
    ],
    "smtpd": [("smtp", "smtp")],
    "nginx": [
        ("http", "http"),
        ("http", '{type: http, path: /login, status: 401, headers: {Accept: "*/*"}}'),
        ("http", "{type: http, host: any.example, status: [200-299], expect: all is w.ll}"),
        ("http", "{type: http, method: HEAD}"),
        ("https", f"{{type: https, {VERIFIED}, expect: all is well}}"),
        ("https", "{type: https, ca: ca.pem}"),  # its address is in its certificate too
    ],
    "dnsmasq": [("dns", "dns"), ("dns", "{type: dns, name: wiki.example}")],
    "Xtigervnc": [("vnc", "vnc"), ("vnc", "{type: vnc, password: {env: REDIS_PASSWORD}}")],
    "vsftpd": [("ftp", "ftp")],
    "sshd": [("ssh", "ssh"), ("ssh", "{type: banner, expect: ^SSH-2}")],
}
BAD = {
    "redis-server": [
        ("redis", "{type: redis, password: {env: WRONG_PASSWORD}}", "answered AUTH with '-WRONGPASS"),
        (
            "redis",
            "{type: redis, tls: yes, insecure: yes, timeout: 500ms}",
            "its part of the TLS handshake did not come",
        ),
        ("redis", "http", "it hung up when the answer to a request was due"),
        ("rediss", "{type: redis, timeout: 500ms}", "when the answer to PING was due"),
    ],
    "postgres": [
        ("postgres", "{type: postgres, user: nobody, database: x, tls: yes}", "certificate is not to be trusted"),
        ("postgres", "{type: dns, timeout: 1s}", "when its answer was due"),
    ],
    "dovecot": [
        ("imap", "pop3", "it greeted with '* OK"),
        ("imaps", "{type: imap, timeout: 500ms}", "its greeting did not come within 0.5 seconds"),
        ("imap", "{type: imap, tls: yes}", "the TLS handshake failed: wrong version number"),
        ("imaps", "{type: imap, tls: yes, host: other.example, ca: ca.pem}", "Hostname mismatch"),
    ],
    "smtpd": [("smtp", "ssh", "this is no SSH server: it sent '220 "), ("smtp", "vnc", "this is not VNC")],
    "nginx": [
        ("http", "{type: http, path: /broken}", "it answered 503 Service"),
        ("http", "{type: http, expect: all is lost}", "in which 'all is lost' is not found"),
        ("http", "https", "the TLS handshake failed"),
        ("https", "https", "its certificate is not to be trusted"),
        ("https", "{type: http, status: 200}", "it answered 400 Bad Request"),
        ("http", "{type: smtp, timeout: 500ms}", "its greeting did not come within 0.5 seconds"),
    ],
    "dnsmasq": [
        ("dns", "{type: dns, name: nobody.example}", "it answered REFUSED for nobody.example"),
        ("dns", "{type: dns, name: wiki.example, record: MX}", "REFUSED"),
    ],
    "Xtigervnc": [
        ("vnc", "{type: vnc, password: {env: WRONG_PASSWORD}}", "it refuses the login: Authentication fail"),
        ("vnc", "redis", "answered PING with 'RFB 003.008'"),
    ],
    "vsftpd": [("ftp", "{type: banner, expect: Willkommen, timeout: 500ms}", "what matches 'Willkommen' did not come")],
    "sshd": [("ssh", "redis", "answered PING with 'SSH-2.0-")],
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def servers(certificates: Certificates) -> Iterator[dict[str, Served]]:
    with serving(certificates) as running:
        yield running


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    monkeypatch.setenv("WRONG_PASSWORD", "guess")


@asynccontextmanager
async def tunnels(folder: Path, keys: Keys, wanted: list[tuple[int, str]], protocol: str):
    """A tunnel for each (port, check), all over one real sshd; yields what has become of them, by number."""
    async with sshd(keys) as server:
        ssh = server.settings()
        file = folder / "checks.yaml"
        login = {part: getattr(ssh, part) for part in ("host", "port", "user")}
        login |= {"identity": list(ssh.identity), "known_hosts": list(ssh.known_hosts), "ssh_config": "none"}
        lines = [f"servers: {{gateway: {{ssh: {login}}}}}", "targets:"]
        lines += [
            f"  t{n}: {{host: gateway, address: '127.0.0.1:{port}', protocol: {protocol}}}"
            for n, (port, _) in enumerate(wanted)
        ]
        lines += ["tunnels:", *(f"  t{n}: {{listen: auto, check: {check}}}" for n, (_, check) in enumerate(wanted))]
        file.write_text("\n".join(lines).replace("'", '"'))
        loaded = load_topology([str(file)], extra := plugins(), {"HOME": str(folder)})
        assert loaded.topology, loaded.diagnostics
        here, log = Here("localhost"), Log()
        plan = make_plan(loaded.topology, vocabulary=extra.vocabulary)
        engine = Engine(plan, loaded.topology, here=here, plugins=extra, observe=log.note)
        running = asyncio.create_task(engine.run())
        try:
            yield World(plan, SimpleNamespace(), engine, log)  # type: ignore[arg-type]
        finally:
            engine.stop()
            await running
            here.abort()
            await here.wait_closed()


def outcome(
    folder: Path, keys: Keys, wanted: list[tuple[int, str]], certificates: Certificates, protocol: str = "tcp"
) -> list[tuple[str, bool, str]]:
    """State, whether it is proven and what is wrong, for each."""
    shutil.copy(certificates.authority, folder)

    async def scene() -> list[tuple[str, bool, str]]:
        async with tunnels(folder, keys, wanted, protocol) as up:
            names = [f"t{n}" for n in range(len(wanted))]
            await up.until(lambda: all(up.tunnel(name).state in {"ready", "degraded"} for name in names))
            return [_seen(up.tunnel(name)) for name in names]

    return asyncio.run(scene())


def _seen(tunnel: TunnelStatus) -> tuple[str, bool, str]:
    error = tunnel.error
    return tunnel.state, tunnel.proven, f"{error.code}: {error.message}" if error else ""


def running(servers: dict[str, Served], program: str) -> Served:
    if program not in servers:
        pytest.skip(f"{program} is not installed")
    return servers[program]


def test_every_server_has_its_checks() -> None:
    assert {recipe.program for recipe in RECIPES} == GOOD.keys() == BAD.keys()


@pytest.mark.parametrize("program", GOOD)
def test_the_real_server_proves_its_tunnel(
    program: str, servers: dict[str, Served], keys: Keys, certificates: Certificates, tmp_path: Path
) -> None:
    served = running(servers, program)
    wanted = [(served.ports[port], check) for port, check in GOOD[program]]
    assert outcome(tmp_path, keys, wanted, certificates) == [("ready", True, "")] * len(wanted)


@pytest.mark.parametrize("program", BAD)
def test_what_it_does_not_speak_is_said(
    program: str, servers: dict[str, Served], keys: Keys, certificates: Certificates, tmp_path: Path
) -> None:
    served = running(servers, program)
    wanted = [(served.ports[port], check) for port, check, _ in BAD[program]]
    found = outcome(tmp_path, keys, wanted, certificates)
    for (_, check, said), (state, proven, error) in zip(BAD[program], found, strict=True):
        assert (state, proven) == ("degraded", False), check
        assert said in error, error
        assert error.startswith("CHECK_FAILED: gateway dialed 127.0.0.1:"), error


def test_dns_is_asked_by_datagrams_where_the_tunnel_carries_those(
    servers: dict[str, Served], keys: Keys, certificates: Certificates, tmp_path: Path
) -> None:
    port = running(servers, "dnsmasq").ports["dns"]
    checks = ["dns", "{type: dns, name: wiki.example}", "{type: dns, name: nobody.example}"]
    *good, bad = outcome(tmp_path, keys, [(port, check) for check in checks], certificates, "udp")
    assert good == [("ready", True, "")] * 2
    assert bad[:2] == ("degraded", False)
    assert f"gateway dialed 127.0.0.1:{port} (gateway): it answered REFUSED for nobody.example" in bad[2]


COMPLAINTS = {
    "postgres": r"LOG:  (incomplete|could not)|FATAL|connection (reset|received)",
    "sshd": r"kex_exchange_identification|Did not receive|error: ",
    "smtpd": r"reason=(?!quit)",
    "dovecot": r"Disconnected: (?!Aborted login by logging out)",
    "Xtigervnc": r"Too many|blacklisted",
    "redis-server": r"Error|SECURITY",
}
"""What these say of clients that get lost."""


@pytest.mark.parametrize("program", COMPLAINTS)
def test_a_server_that_is_checked_often_neither_complains_nor_locks_us_out(
    program: str, servers: dict[str, Served]
) -> None:
    served = running(servers, program)
    (name, port), before = next(iter(served.ports.items())), len(served.said())

    async def scene() -> None:
        here = Here("localhost")
        for _ in range(12):
            await plugins().checks[name].run(Dialing(here, CheckRef(type=name), host="127.0.0.1", port=port))
        here.abort()
        await here.wait_closed()

    asyncio.run(scene())
    assert not re.findall(COMPLAINTS[program], served.said()[before:])
