"""``check: banner``: what the target says of itself, or answers to a text, as an expression wants it."""

from __future__ import annotations

from pydantic import Field

from orchestra.model.text import clean
from orchestra.session import NoAnswer
from orchestra.session.conversation import LONGEST

from .conversing import Conversing, Dialogue
from .fields import Pattern, Tls
from .searching import Search


class Banner(Tls):
    """What is sent, and what is to come."""

    expect: Pattern = Field(
        "", description="A regular expression, found anywhere in what comes; default: anything at all will do."
    )
    send: str | None = Field(None, description='What is said first, such as `"PING\\r\\n"`; default: nothing.')
    farewell: str | None = Field(None, description='What is said in leaving, such as `"QUIT\\r\\n"`; default: nothing.')


class Spoken(Dialogue[Banner]):
    """Says, and listens until it has heard enough, or so much that it never will."""

    async def hold(self) -> bytes:
        wanted = self.wanted
        if wanted.send is not None:
            self.talk.say(wanted.send.encode())
        search, heard = Search(wanted.expect), b""
        what = f"what matches {wanted.expect!r}" if wanted.expect else "a first byte"
        while len(heard) < LONGEST:
            try:
                heard += await self.talk.some(what)
            except NoAnswer as problem:
                raise NoAnswer(f"{problem}; it said {clean(heard, 200)!r}" if heard else str(problem)) from None
            if search.finds(heard):
                return (wanted.farewell or "").encode()
        raise NoAnswer(f"{len(heard)} bytes came and none match {wanted.expect!r}; they begin {clean(heard, 60)!r}")


def banner() -> Conversing[Banner]:
    """What it says."""
    return Conversing("banner", Spoken, Banner)
