"""Opening a session: dial, know the server and be known to it, within one deadline."""

from __future__ import annotations

import asyncio
import contextlib
import getpass

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.asking import paused
from orchestra.engine.ssh import translate
from orchestra.engine.ssh.authenticating import Authenticator
from orchestra.engine.ssh.carrier import Carrier
from orchestra.engine.ssh.clients import Client, Onlooker
from orchestra.engine.ssh.credentials import Asking, gather
from orchestra.engine.ssh.hostkeys import ShownKey
from orchestra.engine.ssh.options import options, silence
from orchestra.engine.ssh.session import SshSession
from orchestra.engine.ssh.spaces import Spaces
from orchestra.engine.ssh.trust import Verifier
from orchestra.model.topology import ConfigSettings, SshSettings
from orchestra.plugin.interfaces import Identity, OpenRequest, Question
from orchestra.session.errors import OpenFailed, SessionError
from orchestra.session.protocols import Session
from orchestra.session.windows import WindowBudget

CONNECT_TIMEOUT = 10.0
"""Seconds, unless the topology or ssh_config says otherwise."""


async def connect(request: OpenRequest, windows: WindowBudget, spaces: Spaces) -> Session:
    """Opens it. Raises OpenFailed; cancelled, it leaves nothing open.

    A server whose host key a person vouches for is dialed anew, and then it must show that same key.
    """
    verifier = await _verifier(request)
    try:
        return await _open(request, windows, spaces, verifier)
    except OpenFailed:
        if not await verifier.reconsider(request.ask):
            raise
    return await _open(request, windows, spaces, verifier)


async def identify(request: OpenRequest) -> Identity:
    """See :class:`orchestra.plugin.interfaces.Identifying`."""
    verifier, attempt = await _verifier(request), _attempt(request)
    carrier = Carrier(lambda _congested: None, Spaces())
    try:
        async with asyncio.timeout(attempt.timeout):
            with contextlib.suppress(asyncssh.HostKeyNotVerifiable):
                await _shake_hands(request, verifier, attempt, carrier, Onlooker(verifier, attempt))
    except translate.FAILURES as error:
        raise _failure(error, attempt, carrier, verifier) from error
    finally:
        carrier.abort()
    return verifier.identity()


async def trust(request: OpenRequest, identity: Identity) -> str:
    """See :class:`orchestra.plugin.interfaces.Identifying`."""
    return await Verifier(request, _settings(request), "").keep(ShownKey(identity.key))


async def _open(request: OpenRequest, windows: WindowBudget, spaces: Spaces, verifier: Verifier) -> Session:
    """The deadline begins with the dial: reading a secret may take its time."""
    attempt = _attempt(request)
    deadline = asyncio.timeout(None)

    async def ask(question: Question) -> str | None:
        with paused(deadline), attempt.waiting_for(question.text):
            return await request.ask(question)

    asking = Asking(read_secret=request.read_secret, notice=request.notice, ask=ask)
    credentials = await gather(_settings(request), attempt.user, attempt.server, asking)
    session = SshSession(attempt.server, windows)
    carrier = Carrier(session.set_congested, spaces)
    authenticator = Authenticator(credentials, attempt)
    client = Client(session, verifier, authenticator, attempt, request.notice)
    opened = False
    try:
        async with deadline:
            deadline.reschedule(asyncio.get_running_loop().time() + attempt.timeout)
            connection = await _shake_hands(request, verifier, attempt, carrier, client)
        session.start(connection, carrier)
        await verifier.remember()
        opened = True
    except translate.FAILURES as error:
        authenticator.conclude()
        raise _failure(error, attempt, carrier, verifier) from error
    finally:
        await credentials.close()
        if not opened:
            carrier.abort()
    return session


async def _shake_hands(
    request: OpenRequest,
    verifier: Verifier,
    attempt: translate.Negotiation,
    carrier: Carrier,
    client: asyncssh.SSHClient,
) -> asyncssh.SSHClientConnection:
    """Dials the server, agrees on keys and logs in, as far as the client lets it come. Raises FAILURES."""
    settings, dial = _settings(request), request.dial
    config, told = settings.config or ConfigSettings(), options(settings, verifier, attempt.user, request.depth)
    await carrier.dial(
        request.over,
        dial.host,
        dial.port,
        dial.path,
        config.address_family,
        config.bind_address,
        silence(settings, request.depth),
    )
    attempt.stage = "key exchange"
    return await asyncssh.connect(
        verifier.name, verifier.port, tunnel=carrier, client_factory=lambda: client, config=[], **told
    )


async def _verifier(request: OpenRequest) -> Verifier:
    settings = _settings(request)
    verifier = Verifier(request, settings, _user(settings, request.server.name))
    await verifier.load()
    return verifier


def _settings(request: OpenRequest) -> SshSettings:
    """Raises OpenFailed for a server that ssh_config says not to dial."""
    settings = request.server.server.ssh if request.server.server is not None else SshSettings()
    for refusal in settings.config.refusals if settings.config else ():
        raise OpenFailed(refusal.code, refusal.message, host=request.server.name, suggestion=refusal.suggestion)
    return settings


def _attempt(request: OpenRequest) -> translate.Negotiation:
    settings = _settings(request)
    return translate.Negotiation(
        server=request.server.name,
        by=request.over.host,
        address=str(request.dial),
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


def _failure(error: Exception, attempt: translate.Negotiation, carrier: Carrier, verifier: Verifier) -> OpenFailed:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return verifier.refusal()
    return translate.open_failed(carrier.loss if isinstance(carrier.loss, SessionError) else error, attempt)
