"""One conversation about who we are (RFC 4252): what to try next, and what is to be said when nothing was accepted."""

from __future__ import annotations

from collections.abc import Sequence

import asyncssh

from orchestra.engine.ssh.credentials import Credentials
from orchestra.engine.ssh.translate import Negotiation
from orchestra.model.topology import ConfigSettings

METHODS = ("publickey", "keyboard-interactive", "password")
"""What we can, in the order of ssh."""


def methods(config: ConfigSettings) -> list[str]:
    """The methods to try, in order; a method that is left out is never tried."""
    allowed = {
        "publickey": config.pubkey_authentication,
        "keyboard-interactive": config.kbdint_authentication,
        "password": config.password_authentication,
    }
    chosen = [name for name in config.preferred_authentications or METHODS if allowed.get(name)]
    return chosen or ["none"]  # an empty list would mean all that asyncssh can


class Authenticator:
    """Gives what was gathered, piece by piece as the server wants it, and keeps account in the attempt."""

    def __init__(self, credentials: Credentials, attempt: Negotiation) -> None:
        self._credentials, self._attempt = credentials, attempt
        attempt.remarks = credentials.remarks.texts
        attempt.hints = credentials.remarks.hints
        self._account()

    @property
    def _may_ask(self) -> bool:
        """Whether a person may be asked for more than passphrases: when the file leaves it to us as to ssh, and when
        the server has had what the file names, and wants something besides."""
        return not self._credentials.is_named or self._credentials.has_signed

    async def next_key(self) -> list[asyncssh.SSHKeyPair] | None:
        """The next key to show, alone, so that it is known which were shown; None when there are no more."""
        while self._credentials.offers:
            offer = self._credentials.offers.pop(0)
            pair = await offer.pair()
            if pair is not None:
                self._account(offer.name)
                return [pair]
        return None

    async def next_password(self) -> str | None:
        """The next password; None when there are no more."""
        password = await self._credentials.answers.password(may_ask=self._may_ask)
        if password is not None:
            self._account("password")
        return password

    def begin_prompts(self) -> str | None:
        """Empty (any device will do) when the server may begin to prompt; else None."""
        answers = self._credentials.answers
        return "" if answers.may_begin(may_ask=self._may_ask) else None

    async def answer(self, name: str, instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str] | None:
        """The answers to one round of prompts; None breaks off."""
        answers = await self._credentials.answers.respond(name, instructions, prompts)
        if answers:
            self._account("keyboard-interactive")
        return answers

    def conclude(self) -> None:
        """Nothing was accepted: remarks what the server did not want to know."""
        if self._credentials.answers.has_unused_secret:
            self._credentials.remarks.add("it does not ask for a password")

    def _account(self, *tried: str) -> None:
        self._attempt.offered = tuple(dict.fromkeys((*self._attempt.offered, *tried)))
        self._attempt.unreached = tuple(offer.name for offer in self._credentials.offers)
