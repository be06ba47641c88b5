"""Opening a session: dial, know the server and be known to it, within one deadline."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from typing import Any

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.asking import paused
from orchestra.engine.ssh import internals, translate
from orchestra.engine.ssh.algorithms import assemble
from orchestra.engine.ssh.authenticating import Authenticator, methods
from orchestra.engine.ssh.carrier import Carrier
from orchestra.engine.ssh.credentials import Asking, gather
from orchestra.engine.ssh.hostkeys import ShownKey
from orchestra.engine.ssh.session import SshSession
from orchestra.engine.ssh.transport import WindowBudget
from orchestra.engine.ssh.trust import Verifier
from orchestra.model.address import Endpoint, UnixPath
from orchestra.model.text import clean
from orchestra.model.topology import ConfigSettings, SshSettings
from orchestra.plugin.interfaces import Identity, Notice, OpenRequest, Question
from orchestra.session.errors import OpenFailed, SessionError
from orchestra.session.protocols import Session

CONNECT_TIMEOUT = 10.0
KEEPALIVE_FIRST = 15.0
KEEPALIVE_STEP = 5.0
"""A further hop waits longer, so that the hop at fault is the one that is named."""
KEEPALIVE_PROBES = 3
BANNERS = 3
"""So many are shown; a server may send them without end (RFC 4252 section 5.4)."""

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
    options = _options(settings, verifier, attempt.user, request.depth)
    try:
        async with asyncio.timeout(attempt.timeout):
            await _dial(carrier, request, settings)
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
    deadline = asyncio.timeout(None)

    async def ask(question: Question) -> str | None:
        with paused(deadline), attempt.waiting_for(question.text):
            return await request.ask(question)

    asking = Asking(read_secret=request.read_secret, notice=request.notice, ask=ask)
    credentials = await gather(settings, attempt.user, attempt.server, asking)
    session = SshSession(attempt.server, windows)
    carrier = Carrier(session.set_congested)
    authenticator = Authenticator(credentials, attempt)
    owner = _Owner(session, verifier, authenticator, attempt, request.notice)
    opened = False
    try:
        async with deadline:
            deadline.reschedule(asyncio.get_running_loop().time() + attempt.timeout)
            await _dial(carrier, request, settings)
            attempt.stage = "key exchange"
            options = _options(settings, verifier, attempt.user, request.depth)
            connection = await asyncssh.connect(
                verifier.name, verifier.port, tunnel=carrier, client_factory=lambda: owner, config=[], **options
            )
        session.start(connection, carrier)
        await verifier.remember()
        opened = True
    except (asyncssh.Error, OSError, ValueError, TimeoutError, SessionError) as error:
        authenticator.conclude()
        raise _failure(error, attempt, carrier, verifier) from error
    finally:
        await credentials.close()
        if not opened:
            carrier.abort()
    return session


async def _dial(carrier: Carrier, request: OpenRequest, settings: SshSettings) -> None:
    dial, config = request.dial, settings.config or ConfigSettings()
    await carrier.dial(request.over, dial.host, dial.port, dial.path, config.address_family, config.bind_address)


def _settings(request: OpenRequest) -> SshSettings:
    """Raises OpenFailed for a server that ssh_config says not to dial."""
    settings = request.server.server.ssh if request.server.server is not None else SshSettings()
    for refusal in settings.config.refusals if settings.config else ():
        raise OpenFailed(refusal.code, refusal.message, host=request.server.name, suggestion=refusal.suggestion)
    return settings


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


def _negotiated(config: ConfigSettings, server: str) -> dict[str, tuple[str, ...]]:
    """What ssh_config says of key exchange, ciphers and MACs. Raises OpenFailed when nothing is left."""
    asked = {"kex_algs": config.kex_algorithms, "encryption_algs": config.ciphers, "mac_algs": config.macs}
    found: dict[str, tuple[str, ...]] = {"encryption_algs": CIPHERS}
    for option, (default, known) in internals.negotiable().items() if any(asked.values()) else ():
        spec = asked[option]
        if spec is None:
            continue
        found[option] = assemble(spec, CIPHERS if option == "encryption_algs" else default, known)
        if not found[option]:
            what = f"{server}: of the algorithms {clean(spec, 120)} in ssh_config none is known here"
            raise OpenFailed(Code.SSH_CONFIG_REFUSED, what, host=server, suggestion=f"known are {', '.join(known)}")
    return found


def _options(settings: SshSettings, verifier: Verifier, user: str, depth: int) -> dict[str, Any]:
    config = settings.config or ConfigSettings()
    usual = KEEPALIVE_FIRST + KEEPALIVE_STEP * (depth - 1)
    silence = usual if settings.keepalive is None else settings.keepalive
    return {
        "username": user,
        "known_hosts": lambda *_: ([], [], []),  # asyncssh itself trusts nobody: the verifier judges
        "host_key_alias": verifier.name,
        "server_host_key_algs": verifier.algorithms(),
        **_negotiated(config, verifier.about.server),
        "compression_algs": ["none"],
        "client_keys": None,  # ours come by public_key_auth_requested; an empty list would mean the default files
        "agent_path": None,
        "agent_forwarding": False,
        "x11_forwarding": False,
        "x509_trusted_certs": None,
        "x509_trusted_cert_paths": [],
        "gss_host": None,
        "host_based_auth": False,
        "password": None,  # as above
        "preferred_auth": methods(config),
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
        authenticator: Authenticator,
        attempt: translate.Attempt,
        notice: Notice,
    ) -> None:
        self._session, self._verifier, self._attempt = session, verifier, attempt
        self._authenticator, self._notice = authenticator, notice
        self._connection: asyncssh.SSHClientConnection | None = None
        self._banners = 0

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
        self._banners += 1
        if self._banners <= BANNERS:
            self._notice(f"{self._attempt.server} says: {clean(msg)}")

    def begin_auth(self, _username: str) -> None:
        self._attempt.stage = "authentication"

    async def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        return await self._authenticator.next_key()

    async def password_auth_requested(self) -> str | None:
        return await self._authenticator.next_password()

    def kbdint_auth_requested(self) -> str | None:
        return self._authenticator.begin_prompts()

    async def kbdint_challenge_received(  # type: ignore[override]
        self, name: str, instructions: str, _lang: str, prompts: list[tuple[str, bool]]
    ) -> list[str] | None:
        return await self._authenticator.answer(name, instructions, prompts)


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
