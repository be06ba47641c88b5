"""``check: postgres``: whether a PostgreSQL server negotiates, without a login (its manual, "Message Flow").

The server is asked whether it speaks TLS. If so the handshake follows: a client that leaves then is worth no line in
the server's log, while one that leaves before it is. With ``user`` a login is begun, and left where it asks for proof.
"""

from __future__ import annotations

import ssl
from typing import Annotated

from pydantic import Field, model_validator

from orchestra.model.text import clean
from orchestra.session import Conversation, NoAnswer

from .conversing import Conversing, Dialogue, tls_context
from .fields import Verified

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
PROTOCOL_3 = (3 << 16).to_bytes(4)
TERMINATE = b"X\0\0\0\4"
MOST = 8000


class Postgres(Verified):
    """As whom, and whether its certificate matters."""

    user: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Whose login is begun, and left where it asks for proof; default: nobody's."
    )
    database: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The database of that login; default: the user's own."
    )
    tls: bool = Field(False, description="Whether it has to speak TLS, with a certificate that is verified.")

    @property
    def under_tls(self) -> bool:
        return False  # it is asked for first

    @model_validator(mode="after")
    def _asked_for(self) -> Postgres:
        if not self.tls and (self.insecure or self.ca is not None):
            raise ValueError("`ca` and `insecure` are about TLS: write `tls: yes` too")
        if self.database is not None and self.user is None:
            raise ValueError("`database` is about a login: write `user` too")
        return self


def startup(user: str, database: str | None) -> bytes:
    """A StartupMessage."""
    parts = ["user", user, *(("database", database) if database else ()), "application_name", "orchestra", ""]
    body = PROTOCOL_3 + b"".join(part.encode() + b"\0" for part in parts)
    return (4 + len(body)).to_bytes(4) + body


def error_text(body: bytes) -> str:
    """What an ErrorResponse says: severity, code and message."""
    fields = {part[:1]: part[1:] for part in body.split(b"\0") if part}
    return clean(b" ".join(fields[key] for key in (b"S", b"C", b"M") if key in fields), 200)


class Negotiation(Dialogue[Postgres]):
    """TLS or not; and, as a user, the first answer."""

    async def hold(self) -> bytes:
        talk, wanted = self.talk, self.wanted
        talk.say(SSL_REQUEST)
        answer = await talk.exactly(1, "its answer about TLS")
        if answer == b"S":
            await talk.start_tls(_context(wanted), wanted.host or self.name)
        elif answer == b"E":
            raise NoAnswer(f"it refuses: {error_text(await _body(talk))}")
        elif answer != b"N":
            raise NoAnswer(f"this is not PostgreSQL: it answered with {clean(answer)!r}")
        elif wanted.tls:
            raise NoAnswer("it does not speak TLS")
        if wanted.user is None:
            return b""
        talk.say(startup(wanted.user, wanted.database))
        kind, body = await talk.exactly(1, "its answer to a login"), await _body(talk)
        if kind == b"R":
            return TERMINATE if body[:4] == bytes(4) else b""
        raise NoAnswer(f"it refuses {wanted.user}: {error_text(body)}" if kind == b"E" else "this is not PostgreSQL")


async def _body(talk: Conversation) -> bytes:
    size = int.from_bytes(await talk.exactly(4, "its answer")) - 4
    if not 0 <= size <= MOST:
        raise NoAnswer("this is not PostgreSQL")
    return await talk.exactly(size, "its answer")


def _context(wanted: Postgres) -> ssl.SSLContext:
    """Without ``tls`` the handshake is for the sake of the server's log alone: nothing is entrusted to it."""
    return tls_context(wanted if wanted.tls else Verified.model_construct(insecure=True))


def postgres() -> Conversing[Postgres]:
    """A PostgreSQL server."""
    return Conversing("postgres", Negotiation, Postgres)
