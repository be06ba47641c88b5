"""What ``%h`` and ``${VAR}`` stand for, see TOKENS and ENVIRONMENT VARIABLES in ssh_config(5)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_TOKEN = re.compile(r"%(.?)", re.DOTALL)
_EITHER = re.compile(r"\$\{(?P<name>[^}]*)(?P<end>\}?)|%(?P<token>.?)", re.DOTALL)


class BadToken(ValueError):
    """A token that is not known here, or a variable that is not set."""


def expand(text: str, tokens: Mapping[str, str], environ: Mapping[str, str] | None = None) -> str:
    """Every token replaced, and every ``${VAR}`` where there is an environment. Raises BadToken.

    ``tokens`` are letters to what they stand for; ``%%`` is always a percent sign.
    """

    def replaced(match: re.Match[str]) -> str:
        found = match.groupdict()
        if found["token"] is not None:
            return _token(found["token"], tokens)
        if not found["end"] or not found["name"]:
            raise BadToken(f"{match[0]!r} names no variable")
        if environ is None or found["name"] not in environ:
            raise BadToken(f"the variable {found['name']} is not set")
        return environ[found["name"]]

    if environ is None:
        return _TOKEN.sub(lambda match: _token(match[1], tokens), text)
    return _EITHER.sub(replaced, text)


def _token(letter: str, tokens: Mapping[str, str]) -> str:
    if letter == "%":
        return "%"
    if letter not in tokens or not letter:
        raise BadToken(f"%{letter} has no meaning here")
    return tokens[letter]


def tilde(path: str, home: str) -> str:
    """``~`` and ``~/…`` under a home; others' homes are left alone."""
    return home.rstrip("/") + path[1:] if path == "~" or path.startswith("~/") else path


def connection_hash(local: str, host: str, port: int, user: str, jump: str) -> str:
    """``%C``, of ``%l%h%p%r%j``."""
    return hashlib.sha1(f"{local}{host}{port}{user}{jump}".encode("utf-8", "surrogateescape")).hexdigest()  # noqa: S324
