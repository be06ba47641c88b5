"""Waiting until it is ready, and what to say when it does not become so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.errors import OrchestraError, RuntimeFailure

if TYPE_CHECKING:
    from orchestra.assembly.running import Running
    from orchestra.model.status import ErrorStatus, Status, TunnelStatus


class GaveUp(OrchestraError):
    """It was not ready in time; ``waiting`` says what each tunnel that is not ready waits for, a line each, and
    ``suggestions`` what to do."""

    def __init__(self, status: Status, timeout: float) -> None:
        super().__init__(f"{status.name} is not ready after {timeout:g} s")
        unready = [tunnel for tunnel in status.tunnels if tunnel.state != "ready" and not tunnel.optional]
        self.waiting = tuple(f"{tunnel.name}: {_waits_for(tunnel, status)}" for tunnel in unready)
        self.suggestions = tuple(dict.fromkeys(t.error.suggestion for t in unready if t.error and t.error.suggestion))


class TakenDown(OrchestraError):
    """Somebody else took it down before it was ready."""


def _waits_for(tunnel: TunnelStatus, status: Status) -> str:
    if tunnel.error is not None:
        return tunnel.error.message
    pending = [f"{session.server} is {session.state}" for session in status.sessions if session.state != "open"]
    return "; ".join([f"still {tunnel.state}", *pending])


async def make_ready(
    running: Running, *, timeout: float | None = None, patient: bool = False, fail_fast: bool = False
) -> None:
    """Returns when it is ready.

    Raises GaveUp after ``timeout`` seconds (None: never), TakenDown, and RuntimeFailure: for an error that trying
    again will not mend, unless ``patient``, and for any, if ``fail_fast``. While a person is asked, no time passes.
    """
    import asyncio

    try:
        async with asyncio.timeout(timeout) as deadline:
            with running.prompts.holding(deadline):
                found = await running.until(
                    lambda outcome: (
                        outcome.ready or (outcome.fatal and not patient) or (outcome.first_failure and fail_fast)
                    )
                )
    except TimeoutError:
        raise GaveUp(running.status(), timeout or 0.0) from None
    if found.ready:
        return
    if error := (found.fatal if not patient else None) or (found.first_failure if fail_fast else None):
        raise as_failure(error)
    raise TakenDown(f"{running.identity.name} was taken down before it was ready")


async def until_failure(running: Running) -> None:
    """Returns when it has been taken down. Raises RuntimeFailure when something that is not optional fails before."""
    found = await running.until(lambda outcome: outcome.first_failure)
    if found.first_failure is not None and not running.is_closing:
        raise as_failure(found.first_failure)
    await running.wait_closed()


def as_failure(error: ErrorStatus) -> RuntimeFailure:
    """The error of a status as one that can be raised."""
    code = Code(error.code) if error.code in Code.__members__ else Code.PLUGIN_FAILED
    return RuntimeFailure(code, error.message, host=error.host, suggestion=error.suggestion)
