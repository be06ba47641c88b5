"""What plugins do wrong stays theirs: foreign exceptions and missed deadlines become failures that name the plugin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.text import clean
from orchestra.session.errors import OpenFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra.model.topology import SecretRef
    from orchestra.plugin.interfaces import ReadSecret
    from orchestra.plugin.manager import Plugins

T = TypeVar("T")


async def fenced(
    what: str,
    work: Callable[[], Awaitable[T]],
    deadline: float,
    *,
    host: str | None = None,
    scope: asyncio.Timeout | None = None,
) -> T:
    """Does a plugin's work, for at most ``deadline`` seconds.

    ``what`` names it: ``transport ssh``, ``check http``; ``scope`` is of the same deadline, for who moves it. Raises
    RuntimeFailure: its own, or PLUGIN_FAILED.
    """
    scope = scope or asyncio.timeout(deadline)
    try:
        async with scope:
            return await work()
    except RuntimeFailure:
        raise
    except TimeoutError as error:
        if not scope.expired():
            raise plugin_failed(what, error, host) from error
        message = f"{what} did not come to an end within {deadline:g} seconds"
        raise RuntimeFailure(Code.PLUGIN_FAILED, message, host=host) from error
    except Exception as error:
        raise plugin_failed(what, error, host) from error


def secret_reader(plugins: Plugins, deadline: float) -> ReadSecret:
    """Reads secrets by whichever plugin has their kind; it raises RuntimeFailure."""

    async def read(ref: SecretRef) -> bytes:
        source = plugins.secrets.get(ref.kind)
        if source is None:
            raise OpenFailed(Code.SECRET_UNAVAILABLE, f"no kind of secret named {ref.kind} is loaded")
        return await fenced(f"secret {ref.kind}", lambda: source.read(ref), deadline)

    return read


def plugin_failed(what: str, error: Exception, host: str | None = None) -> RuntimeFailure:
    """A foreign exception as a failure of the plugin."""
    text = clean(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    return RuntimeFailure(Code.PLUGIN_FAILED, f"{what} failed: {text}", host=host, suggestion="this is a fault in it")
