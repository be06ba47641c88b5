"""``check: redis``: PING, and a login before it where the file has a password (the protocol's specification, RESP2)."""

from __future__ import annotations

from pydantic import Field, model_validator

from orchestra.loading import Secret
from orchestra.model.text import clean
from orchestra.session import NoAnswer

from .conversing import Conversing, Dialogue
from .fields import Tls


class Redis(Tls):
    """Who asks."""

    password: Secret | None = Field(None, description="What it wants for a login; default: nothing is given.")
    user: str | None = Field(None, description="Whose login that is; default: that of no name.")

    @model_validator(mode="after")
    def _together(self) -> Redis:
        if self.user is not None and self.password is None:
            raise ValueError("a user has a password: write `password` too")
        return self


def command(*words: bytes) -> bytes:
    """A command as the server takes it whatever is in its words: an array of bulk strings."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


class Ping(Dialogue[Redis]):
    """A server that wants a password proves itself by saying so, unless the file has one."""

    async def hold(self) -> bytes:
        talk, wanted = self.talk, self.wanted
        if wanted.password is not None:
            user = [wanted.user.encode()] if wanted.user else []
            talk.say(command(b"AUTH", *user, await self.context.read_secret(wanted.password)))
            answer = await talk.line("the answer to AUTH")
            if answer != b"+OK":
                raise NoAnswer(f"it answered AUTH with {clean(answer, 200)!r}")
        talk.say(command(b"PING"))
        answer = await talk.line("the answer to PING")
        if answer == b"+PONG" or (answer.startswith(b"-NOAUTH ") and wanted.password is None):
            return command(b"QUIT")
        raise NoAnswer(f"it answered PING with {clean(answer, 200)!r}")


def redis() -> Conversing[Redis]:
    """A Redis server."""
    return Conversing("redis", Ping, Redis)
