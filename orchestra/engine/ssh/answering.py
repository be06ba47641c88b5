"""Passwords and keyboard-interactive prompts (RFC 4252 section 8, RFC 4256): by a secret once, else by a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from orchestra.model.text import clean
from orchestra.model.topology import ConfigSettings
from orchestra.plugin.interfaces import Ask, Notice, Question

Kind: TypeAlias = Literal["password", "response"]

_PASSWORD = re.compile(r"password|passphrase|kennwort|passwort|mot de passe|contrase", re.IGNORECASE)
_FOR_ONE_USE = re.compile(r"one.?time|otp|oath|token|verification", re.IGNORECASE)
"""“One-time password (OATH)” is a prompt for a code, which no secret answers and nobody may keep."""
_HINT = "without a terminal: name an identity, an agent, or a password as a secret"
_ROUNDS = 20
"""Rounds of prompts in one attempt; a server that goes on for ever is left."""


class Answers:
    """What is answered to one server while one session opens.

    The secret answers one question for a password, and is never sent again: what was refused once is refused twice.
    A person is asked at most ``config.password_prompts`` times for the same thing.
    """

    def __init__(
        self,
        account: str,
        server: str,
        config: ConfigSettings,
        ask: Ask,
        notice: Notice,
        remark: Callable[[str, str], None],
    ) -> None:
        self._account, self._server, self._config = account, server, config
        self._ask, self._notice, self._remark = ask, notice, remark
        self._secret: str | None = None
        self._asked: Counter[str] = Counter()
        self._attempts = self._rounds = 0
        self.has_secret = False

    def give(self, secret: str) -> None:
        """The password that the topology names."""
        self._secret, self.has_secret = secret, True

    @property
    def has_unused_secret(self) -> bool:
        """Whether nothing asked for the secret."""
        return self._secret is not None

    async def password(self, *, may_ask: bool) -> str | None:
        """The next password to try; None when there is no more."""
        answer = self._take_secret()
        if answer is None and may_ask and not self.has_secret:
            what = f"password of {self._account}"
            again = "not accepted, once more the " if self._asked[what] else ""
            answer = await self._put("password", f"{again}{what}:", what)
        return answer

    def may_begin(self, *, may_ask: bool) -> bool:
        """Whether keyboard-interactive is worth another attempt: not where the last one brought no prompt at all."""
        if self._attempts and not self._rounds:
            return False
        self._attempts, self._rounds = self._attempts + 1, 0
        if self.has_secret and self._attempts == 1:
            return self._secret is not None
        return may_ask and not self.has_secret and self._attempts <= self._config.password_prompts

    async def respond(self, name: str, instructions: str, prompts: Sequence[tuple[str, bool]]) -> list[str] | None:
        """The answers to one round; None when the server gets none."""
        self._rounds += 1
        if self._rounds > _ROUNDS:
            return None
        for text in (name, instructions):
            if said := clean(text):
                self._notice(f"{self._server} says: {said}")
        answers = []
        for prompt, echo in prompts:
            answer = await self._answer(prompt, echo=echo)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    async def _answer(self, prompt: str, *, echo: bool) -> str | None:
        wants_password = not echo and bool(_PASSWORD.search(prompt)) and not _FOR_ONE_USE.search(prompt)
        if wants_password and (secret := self._take_secret()) is not None:
            return secret
        text = clean(prompt, 200) or "(a prompt without a text)"
        return await self._put(
            "password" if wants_password else "response", f"({self._account}) {text}", text, echo=echo
        )

    async def _put(self, kind: Kind, text: str, what: str, *, echo: bool = False) -> str | None:
        if self._asked[what] >= self._config.password_prompts:
            if not self._asked[what]:
                self._remark(f"it asks for “{what}”, and ssh_config wants no questions (BatchMode)", _HINT)
            return None
        self._asked[what] += 1
        question = Question(
            kind=kind,
            host=self._server,
            subject=what,
            text=f"{self._server}: {text}",
            echo=echo,
            again=self._asked[what] > 1,
        )
        answer = await self._ask(question)
        if answer is None:
            self._remark(f"it asks for “{what}”, and there is nobody to answer", _HINT)
        return answer

    def _take_secret(self) -> str | None:
        secret, self._secret = self._secret, None
        return secret

    def forget(self) -> None:
        """Nothing of it is kept."""
        self._secret = None
