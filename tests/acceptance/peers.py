"""SSH servers of three makers on loopback, with one account and the same ways to log in."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncssh
import pytest

from orchestra.diagnostics import Code
from orchestra.model.topology import SecretRef, SshSettings
from tests.engine.ssh.sshd import SSHD, descendants, free_port, make_key

USER = "root"
PASSWORD = "correct horse"
needs_peers = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("dropbear", "unshare", "openssl"))) or not Path(SSHD).exists(),
    reason="sshd and dropbear are not installed, or we are not root, who may lend them an account",
)


@dataclass(frozen=True)
class Account:
    """A folder with the host's key, a user's key, a stranger's, and an authority with a certificate for the user's."""

    folder: Path
    host_key: str

    @classmethod
    def make(cls, folder: Path) -> Account:
        host_key = make_key(folder / "host")
        subprocess.run(
            ["dropbearconvert", "openssh", "dropbear", folder / "host", folder / "host.dropbear"],
            check=True,
            capture_output=True,
        )
        for name in ("user", "stranger", "certified", "authority"):
            make_key(folder / name)
        sign = ["ssh-keygen", "-q", "-s", folder / "authority", "-I", "me", "-n", USER, folder / "certified.pub"]
        subprocess.run(sign, check=True, capture_output=True)
        (folder / "home" / ".ssh").mkdir(parents=True, mode=0o700)
        shutil.copy(folder / "user.pub", folder / "home" / ".ssh" / "authorized_keys")
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
        ).stdout.strip()
        (folder / "shadow").write_text(f"{USER}:{hashed}:19000:0:99999:7:::\n")
        return cls(folder, host_key)

    def settings(self, port: int, *, by: str) -> SshSettings:
        """How to log in by ``key``, ``certificate``, ``password``, ``both``, ``stranger`` or a wrong ``guess``."""
        key = {"certificate": "certified", "stranger": "stranger", "key": "user", "both": "user"}.get(by)
        password = {"password": PASSWORD, "both": PASSWORD, "guess": "guess"}.get(by)
        return SshSettings(
            host="127.0.0.1",
            port=port,
            user=USER,
            agent="none",
            host_key=(self.host_key,),
            identity=(str(self.folder / key),) if key else (),
            password=SecretRef(kind="value", value=password.encode()) if password else None,
        )


@dataclass(frozen=True)
class Peer:
    """A maker of servers, and what its servers can."""

    name: str
    certificates: bool = True
    unix: bool = True
    two_factors: bool = True
    cancels: bool = True
    """Whether a listener that is closed goes before its session; dropbear 2022.83 forgets what it was called."""
    denies: Code = Code.FORWARD_REFUSED
    """What a forbidden dial looks like; asyncssh calls it a refused connection."""

    @asynccontextmanager
    async def serving(self, account: Account, *, forwarding: bool = True, both: bool = False) -> AsyncIterator[int]:
        """A server; its port. ``both``: it wants the key and then the password."""
        if self.name == "asyncssh":
            async with _asyncssh(account, forwarding=forwarding) as port:
                yield port
            return
        port = free_port()
        command = _openssh if self.name == "openssh" else _dropbear
        async with _process(account, port, command(account, port, forwarding=forwarding, both=both)):
            yield port


PEERS = (
    Peer("openssh"),
    Peer("dropbear", certificates=False, unix=False, cancels=False),
    Peer("asyncssh", two_factors=False, denies=Code.CONNECT_REFUSED),
)


def _openssh(account: Account, port: int, *, forwarding: bool, both: bool) -> list[str]:
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    allowed = "yes" if forwarding else "no"
    options = (
        *(f"ListenAddress=127.0.0.1:{port}", f"HostKey={account.folder}/host", "PidFile=none", "UsePAM=no"),
        *("StrictModes=no", "PermitRootLogin=yes", "PasswordAuthentication=yes"),
        *(f"TrustedUserCAKeys={account.folder}/authority.pub", f"AllowTcpForwarding={allowed}"),
        *((f"AuthenticationMethods={'publickey,password'}",) if both else ()),
    )
    return [SSHD, "-D", "-e", "-f", "/dev/null", *(part for option in options for part in ("-o", option))]


def _dropbear(account: Account, port: int, *, forwarding: bool, both: bool) -> list[str]:
    switches = [*([] if forwarding else ["-j", "-k"]), *(["-t"] if both else [])]
    key = str(account.folder / "host.dropbear")
    return ["dropbear", "-F", "-E", "-m", "-P", "", "-r", key, "-p", f"127.0.0.1:{port}", *switches]


@asynccontextmanager
async def _process(account: Account, port: int, command: list[str]) -> AsyncIterator[None]:
    """Runs it where the home and the password of its account are ours: in a mount namespace."""
    mounts = f"mount --bind {account.folder}/home /root && mount --bind {account.folder}/shadow /etc/shadow"
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh", *command), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    break
        yield
    finally:
        for pid in (*descendants(process.pid), process.pid):
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
        await process.wait()


class _Server(asyncssh.SSHServer):
    def __init__(self, *, forwarding: bool) -> None:
        self._forwarding = forwarding

    def begin_auth(self, _username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, _username: str, password: str) -> bool:
        return password == PASSWORD

    def connection_requested(self, *_: object) -> bool:
        return self._forwarding

    def server_requested(self, *_: object) -> bool:
        return self._forwarding

    def unix_connection_requested(self, *_: object) -> bool:
        return self._forwarding

    def unix_server_requested(self, *_: object) -> bool:
        return self._forwarding


def _run(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write(f"ran {process.command}\n")
    process.exit(0)


@asynccontextmanager
async def _asyncssh(account: Account, *, forwarding: bool) -> AsyncIterator[int]:
    keys = "\n".join(
        [
            (account.folder / "user.pub").read_text(),
            f'cert-authority,principals="{USER}" {(account.folder / "authority.pub").read_text()}',
        ]
    )
    listening = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(forwarding=forwarding),
        server_host_keys=[_host_key(account.folder / "host")],
        authorized_client_keys=asyncssh.import_authorized_keys(keys),
        process_factory=_run,
    )
    try:
        yield listening.get_port()
    finally:
        listening.close()
        await listening.wait_closed()


@cache
def _host_key(file: Path) -> asyncssh.SSHKey:
    return asyncssh.read_private_key(file)
