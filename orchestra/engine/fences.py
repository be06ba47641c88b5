"""What plugins do wrong stays theirs: foreign exceptions and missed deadlines become failures that name the plugin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.text import clean, reason, shown
from orchestra.session.errors import OpenFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from orchestra.model.topology import SecretRef
    from orchestra.plugin.interfaces import ReadSecret
    from orchestra.plugin.manager import Plugins

T = TypeVar("T")

FAULT = "this is a fault in it"
SECRET_DEADLINE = 150.0
"""Seconds to read a secret: within those for the session that needs it, and enough for a person to unlock a store."""
SESSION = ("state", "create_connection", "create_server", "ping", "close", "abort", "wait_closed")
RECEIVER = ("connection_made", "data_received", "eof_received", "connection_lost", "pause_writing", "resume_writing")
ENTRANCE = ("addresses", "port", "notes", "close")
"""What is needed of that which transports and kinds return."""


async def fenced(
    what: str,
    work: Callable[[], Awaitable[T]],
    deadline: float,
    *,
    host: str | None = None,
    scope: asyncio.Timeout | None = None,
    discreet: bool = False,
    late: Code = Code.PLUGIN_FAILED,
) -> T:
    """Does a plugin's work, for at most ``deadline`` seconds.

    ``what`` names it: ``transport ssh``, ``check http``; ``scope`` is of the same deadline, for who moves it;
    ``discreet``: what a foreign exception says is not passed on; ``late``: whose fault a missed deadline is. Raises
    RuntimeFailure: its own, PLUGIN_FAILED, or ``late``.
    """
    scope = scope or asyncio.timeout(deadline)
    try:
        async with scope:
            return await work()
    except RuntimeFailure:
        raise
    except Exception as error:
        if isinstance(error, TimeoutError) and scope.expired():
            message = f"{what} did not come to an end within {deadline:g} seconds"
            raise RuntimeFailure(late, message, host=host) from error
        if discreet:
            said = f"{what} failed: {type(error).__name__}"
            raise RuntimeFailure(Code.PLUGIN_FAILED, said, host=host, suggestion=FAULT) from None
        raise plugin_failed(what, error, host) from error


def whole(what: str, made: T, needed: Iterable[str], *, host: str | None = None) -> T:
    """What a plugin returned, when it has all that is needed of it. Raises RuntimeFailure with PLUGIN_FAILED."""
    for name in needed:
        if not hasattr(made, name):
            message = f"{what} returned {shown(made)}, which has no {name.strip('_')!r}"
            raise RuntimeFailure(Code.PLUGIN_FAILED, message, host=host, suggestion=FAULT)
    return made


def secret_reader(plugins: Plugins, deadline: float = SECRET_DEADLINE) -> ReadSecret:
    """Reads secrets by whichever plugin has their kind; it raises RuntimeFailure, in which nothing is said that could
    be the secret: of a foreign exception only what kind it is, of a foreign value only its type."""

    async def read(ref: SecretRef) -> bytes:
        source = plugins.secrets.get(ref.kind)
        if source is None:
            lacking = not_loaded(plugins, f"secret {ref.kind}")
            raise OpenFailed(Code.SECRET_UNAVAILABLE, lacking.message, suggestion=lacking.suggestion)
        what = f"secret {ref.kind}"
        secret: object = await fenced(what, lambda: source.read(ref), deadline, discreet=True)
        if not isinstance(secret, bytes):
            message = f"{what} returned a {type(secret).__name__}, where bytes are due"
            raise RuntimeFailure(Code.PLUGIN_FAILED, message, suggestion=FAULT)
        return secret

    return read


def not_loaded(plugins: Plugins, word: str, host: str | None = None) -> RuntimeFailure:
    """No plugin adds that word, ``kind tcp``: by fault of the one that would have, or perhaps of those that failed
    before they told what they add."""
    absent = plugins.vocabulary.absent
    failed = [each for each in absent if word in each.words] or [each for each in absent if not each.words]
    why = "; ".join(f"the plugin {clean(each.name, 60)} {clean(each.why, 200)}" for each in failed)
    message = f"no {word} is loaded" + (f": {why}" if why else "")
    return RuntimeFailure(Code.PLUGIN_FAILED, message, host=host, suggestion="`orchestra plugins` shows what is")


def plugin_failed(what: str, error: Exception, host: str | None = None) -> RuntimeFailure:
    """A foreign exception as a failure of the plugin."""
    return RuntimeFailure(Code.PLUGIN_FAILED, f"{what} failed: {reason(error)}", host=host, suggestion=FAULT)
