"""Real servers on loopback, in free ports and folders of their own: what checks are for. None of them knows of another,
and all of them start at the same time."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_plugins.checks.vnc import response

from tests.engine.ssh.sshd import descendants, free_port, make_key
from tests.plugins.checks.certificates import Certificates

LOOPBACK = "127.0.0.1"
PASSWORD = "s3cret"
STARTING = 20.0
"""Seconds that a server may take; it takes less than one."""
NOBODY = 65534
VNC_SALT = bytes((23, 82, 107, 6, 35, 78, 88, 7))
"""What every VNC server hides its password with, in its file."""
PATH = ":".join([os.environ["PATH"], "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])


@dataclass(slots=True)
class Served:
    """A server that runs: its ports by the name of what it speaks there, and what it says of its clients."""

    ports: dict[str, int]
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one is started: its program, what it speaks, and a function that writes its files and returns its command."""

    program: str
    speaks: tuple[str, ...]
    prepare: Callable[[Path, dict[str, int], Certificates], list[str]]

    @property
    def installed(self) -> bool:
        return shutil.which(self.program, path=PATH) is not None


def _redis(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    options = {"bind": LOOPBACK, "port": ports["redis"], "dir": folder, "save": "", "requirepass": PASSWORD}
    options |= {"tls-port": ports["rediss"], "tls-cert-file": certificates.chain, "tls-key-file": certificates.chain}
    options |= {"tls-ca-cert-file": certificates.authority, "tls-auth-clients": "no"}
    return ["redis-server", *(str(part) for name, value in options.items() for part in (f"--{name}", value))]


def _postgres(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    data = folder / "data"
    folder.chmod(0o755)
    data.mkdir(mode=0o700)
    shutil.chown(data, NOBODY, NOBODY)
    command = ["initdb", "-D", data, "-N", "-U", "alice", "-A", "trust"]
    subprocess.run(command, check=True, user=NOBODY, group=NOBODY, stdout=subprocess.DEVNULL, env={"PATH": PATH})
    (data / "pg_hba.conf").write_text(f"host all all {LOOPBACK}/32 password\n")
    chain = shutil.copy(certificates.chain, data / "server.pem")
    shutil.chown(chain, NOBODY, NOBODY)
    settings = {"port": ports["postgres"], "listen_addresses": LOOPBACK, "unix_socket_directories": "", "fsync": "off"}
    settings |= {"ssl": "on", "ssl_cert_file": chain, "ssl_key_file": chain, "shared_buffers": "1MB"}
    options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    command = "exec setpriv --reuid=65534 --regid=65534 --clear-groups --"
    return ["sh", "-c", f'{command} "$@"', "sh", "postgres", "-D", str(data), *options]


def _dovecot(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    listeners = "".join(
        f"service {protocol}-login {{\n chroot =\n"
        f" inet_listener {protocol} {{\n  port = {ports[protocol]}\n }}\n"
        f" inet_listener {protocol}s {{\n  port = {ports.get(f'{protocol}s', 0)}\n  ssl = yes\n }}\n}}\n"
        for protocol in ("imap", "pop3")
    )
    (folder / "dovecot.conf").write_text(
        f"base_dir = {folder}/run\nstate_dir = {folder}/state\nlog_path = {folder}/log\nprotocols = imap pop3\n"
        f"listen = {LOOPBACK}\nssl = yes\nssl_cert = <{certificates.chain}\nssl_key = <{certificates.chain}\n"
        "default_internal_user = root\ndefault_internal_group = root\ndefault_login_user = nobody\n"
        "service stats {\n chroot =\n}\nservice anvil {\n chroot =\n}\n"
        "passdb {\n driver = static\n args = nopassword=y\n}\n"
        "userdb {\n driver = static\n args = uid=1 gid=1 home=/tmp\n}\n" + listeners
    )
    return ["dovecot", "-F", "-c", str(folder / "dovecot.conf")]


def _smtpd(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    (folder / "smtpd.conf").write_text(f"listen on {LOOPBACK} port {ports['smtp']}\nmatch from any for any reject\n")
    alone = 'mount -t tmpfs run /run && exec "$0" "$@"'  # its control socket has one path for all
    return ["unshare", "--mount", "sh", "-c", alone, "smtpd", "-d", "-f", str(folder / "smtpd.conf")]


def _nginx(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    (folder / "page").mkdir()
    folder.chmod(0o755)
    (folder / "page" / "index.html").write_text("<p>all is well</p>")
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr info;\nevents {{}}\nhttp {{\n access_log {folder}/access;\n"
        f" server {{\n  listen {LOOPBACK}:{ports['http']};\n  listen {LOOPBACK}:{ports['https']} ssl;\n"
        f"  ssl_certificate {certificates.chain};\n  ssl_certificate_key {certificates.chain};\n  root {folder}/page;\n"
        "  location /broken { return 503; }\n  location /login { return 401; }\n }\n}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _dnsmasq(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    options = [f"--port={ports['dns']}", f"--listen-address={LOOPBACK}", "--bind-interfaces", "--no-resolv"]
    return ["dnsmasq", "-k", "--conf-file=/dev/null", "--no-hosts", *options, "--address=/wiki.example/10.20.0.30"]


def _vnc(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    (folder / "password").write_bytes(response(VNC_SALT, PASSWORD.encode().ljust(8, b"\0")))
    display = f":{ports['vnc'] % 50000 + 1000}"
    options = ["-rfbport", str(ports["vnc"]), "-localhost", "-SecurityTypes", "None,VncAuth", "-rfbauth", "password"]
    screen = ["-geometry", "64x64", "-depth", "16", "-nolisten", "tcp", "-nolisten", "unix", "-ac"]
    return ["Xtigervnc", display, *options, *screen]


def _ftp(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    (folder / "empty").mkdir()
    (folder / "vsftpd.conf").write_text(
        f"listen=YES\nlisten_address={LOOPBACK}\nlisten_port={ports['ftp']}\nbackground=NO\nseccomp_sandbox=NO\n"
        f"secure_chroot_dir={folder}/empty\nftpd_banner=Welcome\nxferlog_enable=YES\nvsftpd_log_file={folder}/log\n"
    )
    return ["vsftpd", str(folder / "vsftpd.conf")]


def _sshd(folder: Path, ports: dict[str, int], certificates: Certificates) -> list[str]:
    make_key(folder / "host_key")
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    options = (
        f"ListenAddress={LOOPBACK}:{ports['ssh']}",
        f"HostKey={folder}/host_key",
        "PidFile=none",
        "LogLevel=VERBOSE",
    )
    return ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *(part for each in options for part in ("-o", each))]


RECIPES = (
    Recipe("redis-server", ("redis", "rediss"), _redis),
    Recipe("postgres", ("postgres",), _postgres),
    Recipe("dovecot", ("imap", "imaps", "pop3", "pop3s"), _dovecot),
    Recipe("smtpd", ("smtp",), _smtpd),
    Recipe("nginx", ("http", "https"), _nginx),
    Recipe("dnsmasq", ("dns",), _dnsmasq),
    Recipe("Xtigervnc", ("vnc",), _vnc),
    Recipe("vsftpd", ("ftp",), _ftp),
    Recipe("sshd", ("ssh",), _sshd),
)


@contextmanager
def serving(certificates: Certificates) -> Iterator[dict[str, Served]]:
    """All that are installed, by program, once they answer; in a folder that accounts of theirs can enter."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orchestra-servers-")))
        folder.chmod(0o755)
        running = {
            recipe.program: stack.enter_context(_started(recipe, folder / recipe.program, certificates))
            for recipe in RECIPES
            if recipe.installed
        }
        for program, served in running.items():
            for port in served.ports.values():
                _answers(program, port, served)
        yield running


@contextmanager
def _started(recipe: Recipe, folder: Path, certificates: Certificates) -> Iterator[Served]:
    folder.mkdir()
    ports = {name: free_port() for name in recipe.speaks}
    command = recipe.prepare(folder, ports, certificates)
    log = folder / "log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, "PATH": PATH}, cwd=folder
        )
    try:
        yield Served(ports, log, [process])
    finally:
        for pid in (*descendants(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        process.wait()


def _answers(program: str, port: int, served: Served) -> None:
    end = time.monotonic() + STARTING
    while True:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
            return
        assert served.processes[0].poll() is None, f"{program} ended: {served.said()}"
        assert time.monotonic() < end, f"{program} does not answer: {served.said()}"
        time.sleep(0.02)
