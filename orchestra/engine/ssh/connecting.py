"""Opening a session: dial, know the server and be known to it, within one deadline."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from typing import Any

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.ssh import internals, translate
from orchestra.engine.ssh.carrier import Carrier
from orchestra.engine.ssh.credentials import Credentials, gather
from orchestra.engine.ssh.hostkeys import ShownKey
from orchestra.engine.ssh.session import SshSession
from orchestra.engine.ssh.transport import WindowBudget
from orchestra.engine.ssh.trust import Verifier
from orchestra.model.address import Endpoint, UnixPath
from orchestra.model.text import clean
from orchestra.model.topology import SshSettings
from orchestra.plugin.interfaces import Identity, Notice, OpenRequest
from orchestra.session.errors import OpenFailed, SessionError
from orchestra.session.protocols import Session

CONNECT_TIMEOUT = 10.0
KEEPALIVE_FIRST = 15.0
KEEPALIVE_STEP = 5.0
"""A further hop waits longer, so that the hop at fault is the one that is named."""
KEEPALIVE_PROBES = 3

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)


async def connect(request: OpenRequest, windows: WindowBudget) -> Session:
    """Opens it. Raises OpenFailed; cancelled, it leaves nothing open.

    A server whose host key a person vouches for is dialed anew, and then it must show that same key.
    """
    settings, attempt = _settings(request), _attempt(request)
    verifier = Verifier(request, settings, attempt.user)
    await verifier.load()
    try:
        return await _open(request, windows, settings, verifier)
    except OpenFailed:
        if not await verifier.reconsider(request.ask):
            raise
    return await _open(request, windows, settings, verifier)


async def identify(request: OpenRequest) -> Identity:
    """See :class:`orchestra.plugin.interfaces.Identifying`."""
    settings, attempt = _settings(request), _attempt(request)
    verifier = Verifier(request, settings, attempt.user)
    await verifier.load()
    carrier = Carrier(lambda _congested: None)
    options = _options(settings, verifier, Credentials(), attempt.user, request.depth)
    try:
        async with asyncio.timeout(attempt.timeout):
            await carrier.dial(request.over, request.dial.host, request.dial.port, request.dial.path)
            attempt.stage = "key exchange"
            with contextlib.suppress(asyncssh.HostKeyNotVerifiable):
                owner = _Onlooker(verifier, attempt)
                await asyncssh.connect(
                    verifier.name, verifier.port, tunnel=carrier, client_factory=lambda: owner, config=[], **options
                )
    except (asyncssh.Error, OSError, ValueError, TimeoutError, SessionError) as error:
        raise _failure(error, attempt, carrier, verifier) from error
    finally:
        carrier.abort()
    return verifier.identity()


async def trust(request: OpenRequest, identity: Identity) -> str:
    """See :class:`orchestra.plugin.interfaces.Identifying`."""
    return await Verifier(request, _settings(request), "").keep(ShownKey(identity.key))


async def _open(request: OpenRequest, windows: WindowBudget, settings: SshSettings, verifier: Verifier) -> Session:
    """The deadline begins with the dial: reading a secret may take its time."""
    attempt = _attempt(request)
    credentials = Credentials()
    carrier: Carrier | None = None
    opened = False
    try:
        credentials = await gather(settings, attempt.server, request.read_secret, request.notice)
        attempt.offered = tuple(credentials.names)
        session = SshSession(attempt.server, windows)
        carrier = Carrier(session.set_congested)
        async with asyncio.timeout(attempt.timeout):
            await carrier.dial(request.over, request.dial.host, request.dial.port, request.dial.path)
            attempt.stage = "key exchange"
            owner = _Owner(session, verifier, credentials, attempt, request.notice)
            options = _options(settings, verifier, credentials, attempt.user, request.depth)
            connection = await asyncssh.connect(
                verifier.name, verifier.port, tunnel=carrier, client_factory=lambda: owner, config=[], **options
            )
        session.start(connection, carrier)
        await verifier.remember()
        opened = True
    except (asyncssh.Error, OSError, ValueError, TimeoutError, SessionError) as error:
        raise _failure(error, attempt, carrier, verifier) from error
    finally:
        await credentials.close()
        if carrier is not None and not opened:
            carrier.abort()
    return session


def _settings(request: OpenRequest) -> SshSettings:
    return request.server.server.ssh if request.server.server is not None else SshSettings()


def _attempt(request: OpenRequest) -> translate.Attempt:
    dial, settings = request.dial, _settings(request)
    address = str(UnixPath(dial.path)) if dial.path is not None else str(Endpoint(dial.host, dial.port))
    return translate.Attempt(
        server=request.server.name,
        by=request.over.host,
        address=address,
        user=_user(settings, request.server.name),
        timeout=settings.connect_timeout or CONNECT_TIMEOUT,
    )


def _user(settings: SshSettings, server: str) -> str:
    try:
        local = getpass.getuser()  # asyncssh wants it too, whatever the settings say
    except (KeyError, OSError) as error:
        what = f"{server}: this account has no name here"
        hint = "set USER in the environment"
        raise OpenFailed(Code.AUTH_FAILED, what, host=server, suggestion=hint) from error
    return settings.user or local


def _failure(
    error: BaseException, attempt: translate.Attempt, carrier: Carrier | None, verifier: Verifier
) -> OpenFailed:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return verifier.refusal()
    below = carrier.loss if carrier is not None else None
    return translate.open_failed(below if isinstance(below, SessionError) else error, attempt)


def _options(
    settings: SshSettings, verifier: Verifier, credentials: Credentials, user: str, depth: int
) -> dict[str, Any]:
    silence = settings.keepalive or KEEPALIVE_FIRST + KEEPALIVE_STEP * (depth - 1)
    methods = [*(["publickey"] if credentials.keys else [])]
    if credentials.password is not None:
        methods += ["keyboard-interactive", "password"]
    return {
        "username": user,
        "known_hosts": lambda *_: ([], [], []),  # asyncssh itself trusts nobody: the verifier judges
        "host_key_alias": verifier.name,
        "server_host_key_algs": verifier.algorithms(),
        "encryption_algs": CIPHERS,
        "compression_algs": ["none"],
        "client_keys": None,  # ours come by public_key_auth_requested; an empty list would mean the default files
        "agent_path": None,
        "agent_forwarding": False,
        "x11_forwarding": False,
        "x509_trusted_certs": None,
        "x509_trusted_cert_paths": [],
        "gss_host": None,
        "host_based_auth": False,
        "public_key_auth": bool(credentials.keys),
        "password_auth": credentials.password is not None,
        "kbdint_auth": credentials.password is not None,
        "password": credentials.password,
        "preferred_auth": methods or ["publickey"],
        "keepalive_interval": silence / KEEPALIVE_PROBES,
        "keepalive_count_max": KEEPALIVE_PROBES - 1,
        "login_timeout": 0,
        "utf8_decode_errors": "replace",  # banners and reasons are for people, and many a banner is Latin-1
    }


class _Owner(asyncssh.SSHClient):
    """What asyncssh asks while it opens, and tells afterwards."""

    def __init__(
        self,
        session: SshSession,
        verifier: Verifier,
        credentials: Credentials,
        attempt: translate.Attempt,
        notice: Notice,
    ) -> None:
        self._session, self._verifier, self._attempt = session, verifier, attempt
        self._credentials, self._notice = credentials, notice
        self._keys_offered = False
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn
        internals.judge_host_keys(conn, self._verifier.validate)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None and self._connection.get_extra_info("server_version"):
            self._attempt.banner_seen = True
        self._session.ended(exc)

    def debug_msg_received(self, msg: str, _lang: str, _always_display: bool) -> None:
        self._session.said(msg)

    def auth_banner_received(self, msg: str, _lang: str) -> None:
        self._notice(f"{self._attempt.server} says: {clean(msg)}")

    def begin_auth(self, _username: str) -> None:
        self._attempt.stage = "authentication"

    def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        offered, self._keys_offered = self._keys_offered, True
        return None if offered else list(self._credentials.keys)


class _Onlooker(asyncssh.SSHClient):
    """Leaves when it has seen the host key, whatever that is."""

    def __init__(self, verifier: Verifier, attempt: translate.Attempt) -> None:
        self._verifier, self._attempt = verifier, attempt

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        internals.judge_host_keys(conn, self._look)

    def _look(self, blob: bytes) -> asyncssh.SSHKey:
        self._attempt.banner_seen = True
        self._verifier.validate(blob)
        raise asyncssh.HostKeyNotVerifiable("it has been seen")
