"""``check: http`` and ``https``: one request, and what the answer has to be (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from orchestra.model.text import clean
from orchestra.session import NoAnswer

from .conversing import Conversing, Dialogue
from .fields import HOST, Fields, Pattern, Verified
from .searching import Search

MOST_HEADERS = 200
MOST_BODY = 64 * 1024
"""Bytes of a page in which ``expect`` is looked for."""
OPEN = ((100, 499),)
"""A page that wants a login, or is not there, proves the way to its server."""

_ONE: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": r"^[1-5]\d\d-[1-5]\d\d$"},
    ]
}


def _ranges(value: object) -> list[tuple[int, int]]:
    return [_range(each) for each in (value if isinstance(value, list) and value else [value])]


def _range(value: object) -> tuple[int, int]:
    match = re.fullmatch(r"([1-5]\d\d)(?:-([1-5]\d\d))?", str(value))
    if match is None or isinstance(value, bool):
        raise ValueError("a status is 200, or a range such as 200-299, or a list of these")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise ValueError(f"the range ends before it begins; write {last}-{first}")
    return first, last


def _headers(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(f"{clean(name, 60)!r} is no name of a header (RFC 9110 section 5.1)")
        if re.search(r"[\r\n\0]", text):
            raise ValueError(f"the header {name} has a line break in its value")
        if name.lower() in {"host", "connection"}:
            raise ValueError(f"{name} is not set here; `host` names the host")
    return value


class Http(Fields):
    """What is asked, and what is to come."""

    method: str = Field("GET", pattern=r"^[A-Z]{1,20}$", description="The method.")
    path: str = Field("/", pattern=r"^[!-~]+$", description="The path, and perhaps a query.")
    host: str | None = Field(None, pattern=r"^[!-~]+$", description=HOST)
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        {}, description="What else the request says: names, and a text each."
    )
    status: Annotated[
        list[tuple[int, int]],
        BeforeValidator(_ranges),
        WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE, "minItems": 1}]}),
    ] = Field(list(OPEN), description="Good answers: `200`, `200-299`, or a list of these; default: all below 500.")
    expect: Pattern | None = Field(
        None, description="A regular expression, found in the first 64 KiB of the page; default: none is looked for."
    )


class Https(Verified, Http):
    """The same under TLS; ``host`` is the name in the certificate too."""


class Page(Dialogue[Http]):
    """Any answer below 500 will do, unless the file wants another."""

    async def hold(self) -> bytes:
        talk, wanted = self.talk, self.wanted
        name = wanted.host or self.name or "localhost"
        lines = [
            f"{wanted.method} {wanted.path} HTTP/1.1",
            f"Host: {f'[{name}]' if ':' in name and not wanted.host else name}",
            "Connection: close",
            *(f"{header}: {text}" for header, text in wanted.headers.items()),
        ]
        talk.say("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        line = await talk.line("the answer to a request")
        if (problem := judge_status_line(line, wanted.status)) is not None:
            raise NoAnswer(problem)
        if wanted.expect is not None and not await self._found(Search(wanted.expect)):
            raise NoAnswer(f"it answered {clean(line, 80)!r}, with a page in which {wanted.expect!r} is not found")
        return b""

    async def _found(self, search: Search) -> bool:
        """Whether the expression is found in the page, as soon as it is."""
        page = bytearray()
        async for piece in self._pieces():
            page += piece
            if search.finds(page):
                return True
            if len(page) >= MOST_BODY:
                break
        return False

    async def _pieces(self) -> AsyncIterator[bytes]:
        """The page as it comes, by its chunks, its length or its end (RFC 9112 section 6.3)."""
        talk, headers = self.talk, await self._headers()
        if headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked"):
            while size := _number(await talk.line("the page"), 16):
                yield (await talk.exactly(min(size, MOST_BODY) + 2, "the page"))[:-2]
            return
        left = _number(headers[b"content-length"], 10) if b"content-length" in headers else None
        while left is None or left > 0:
            try:
                piece = await talk.some("the page")
            except NoAnswer:
                return
            yield piece
            left = left and left - len(piece)

    async def _headers(self) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for _ in range(MOST_HEADERS):
            if not (header := await self.talk.line("the end of its headers")):
                return found
            name, _, text = header.partition(b":")
            found[name.lower()] = text.strip()
        raise NoAnswer(f"it sent more than {MOST_HEADERS} headers")


def _number(text: bytes, base: int) -> int:
    try:
        return int(text.partition(b";")[0], base)
    except ValueError:
        raise NoAnswer(f"its page is no page of HTTP: it is {clean(text, 60)!r} long") from None


def judge_status_line(line: bytes, good: list[tuple[int, int]] | None = None) -> str | None:
    """What is wrong with the first line of an answer (RFC 9112 section 4), or None."""
    version, _, rest = line.partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/1.") or not status.isdigit():
        return f"this is not HTTP: {clean(line[:80])}"
    if any(first <= int(status) <= last for first, last in good or OPEN):
        return None
    return f"it answered {clean(rest[:80])}"


def http() -> Conversing[Http]:
    """A page."""
    return Conversing("http", Page, Http)


def https() -> Conversing[Http]:
    """A page under TLS."""
    return Conversing("https", Page, Https)
