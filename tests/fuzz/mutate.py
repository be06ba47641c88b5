"""Inputs that are nearly right: pieces of good ones, cut, doubled, swapped, and with what parsers stumble over."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence

ROUNDS = int(os.environ.get("ORCHESTRA_FUZZ", "250"))
"""Inputs for each parser; `make fuzz` takes many more."""
SLOWEST = 5.0
"""Seconds that one input may take on a busy machine: more is a way to hang us."""

_SPICES = (
    *(
        b"\0",
        b"\xff",
        b"\xc3(",
        b"\xed\xa0\x80",
        b"\r",
        b"\n",
        b"\t",
        b"\x1b[2J",
        b"\x7f",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
    ),
    *(
        b":",
        b"-",
        b"*",
        b"?",
        b"!",
        b"|",
        b"@",
        b"#",
        b'"',
        b"'",
        b"\\",
        b"${",
        b"$(",
        b"`",
        b"%",
        b"[",
        b"]",
        b"{",
        b"}",
    ),
    *(
        b"-1",
        b"0",
        b"65536",
        b"9" * 30,
        b"1e999",
        b"nan",
        b"~",
        b"null",
        b"<<: *a",
        b"&a ",
        b"*a",
        b"!!python/object:os",
    ),
    *(b" ", b"," * 50, b"[" * 200, b"{" * 200, b"-oProxyCommand=x", b"unix:", b"::1", b"[::1", b"\xc2\xb9"),
)


def mutations(corpus: Sequence[bytes], seed: int, rounds: int = ROUNDS) -> Iterator[bytes]:
    """The corpus itself, then so many changed ones; the same for the same seed."""
    yield from corpus
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(rounds):
        data = chance.choice(corpus)
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            data = _mutated(data, corpus, chance)
        yield data[:65536]


def _mutated(data: bytes, corpus: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    end = min(end, start + 64)
    other = chance.choice(corpus)
    at = chance.randint(0, len(other))
    match chance.randrange(6):
        case 0:
            middle = b""
        case 1:
            middle = data[start:end] * chance.choice((2, 2, 50))
        case 2:
            middle = chance.choice(_SPICES)
        case 3:
            middle = other[at : at + 40]
        case 4:
            middle = bytes(byte ^ 1 << chance.randrange(8) for byte in data[start : start + 2])
        case _:
            middle = data[start:end][::-1]
    return data[:start] + middle + data[end:]


def survives(parse: Callable[[bytes], object], corpus: Sequence[bytes], seed: int, *allowed: type[Exception]) -> None:
    """Every input is parsed or refused as it should be, and soon."""
    for data in mutations(corpus, seed):
        begun = time.thread_time()
        try:
            parse(data)
        except allowed:
            pass
        except Exception as error:
            raise AssertionError(f"seed {seed}, input {data!r}") from error
        assert time.thread_time() - begun < SLOWEST, f"seed {seed}, input {data!r}"
