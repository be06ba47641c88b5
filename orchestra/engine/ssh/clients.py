"""What asyncssh asks while a connection is made, and what it tells afterwards."""

from __future__ import annotations

import asyncssh

from orchestra.engine.ssh import internals
from orchestra.engine.ssh.authenticating import Authenticator
from orchestra.engine.ssh.session import SshSession
from orchestra.engine.ssh.translate import Negotiation
from orchestra.engine.ssh.trust import Verifier
from orchestra.model.text import clean
from orchestra.plugin.interfaces import Notice

BANNERS = 3
"""So many are shown; a server may send them without end (RFC 4252 section 5.4)."""


class Client(asyncssh.SSHClient):
    """What asyncssh asks while it opens, and tells afterwards."""

    def __init__(
        self,
        session: SshSession,
        verifier: Verifier,
        authenticator: Authenticator,
        attempt: Negotiation,
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


class Onlooker(asyncssh.SSHClient):
    """Leaves when it has seen the host key, whatever that is."""

    def __init__(self, verifier: Verifier, attempt: Negotiation) -> None:
        self._verifier, self._attempt = verifier, attempt

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        internals.judge_host_keys(conn, self._look)

    def _look(self, blob: bytes) -> asyncssh.SSHKey:
        self._attempt.banner_seen = True
        self._verifier.validate(blob)
        raise asyncssh.HostKeyNotVerifiable("it has been seen")
