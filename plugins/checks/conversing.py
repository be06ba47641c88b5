"""What the checks that speak with their target have in common: the dial, the deadline, TLS, leaving in good order, and
words for what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.plugin.interfaces import TunnelContext
from orchestra.plugin.vocabulary import CheckSpec
from orchestra.session import Conversation, NoAnswer, Stream

from .fields import Fields, Verified

F = TypeVar("F", bound=Fields)

PACKAGE = "orchestra-tunnels"
PATIENCE = 10.0
"""Seconds for the whole conversation, behind the dial, where the file gives no ``timeout``."""
LEAVING = 1.0
"""Seconds that a target has to hang up when we have said goodbye."""


@dataclass(frozen=True, slots=True)
class Dialogue(Generic[F]):
    """One conversation with a target, which is dialed and, where that is asked for, under TLS."""

    talk: Conversation
    wanted: F
    context: TunnelContext

    async def hold(self) -> bytes:
        """Asks and hears. Returns what is said in leaving, which may be nothing; raises NoAnswer."""
        raise NotImplementedError

    @property
    def name(self) -> str | None:
        """What the target is called by who dials it."""
        dial = self.context.tunnel.dial
        return dial.host if dial else None


class Conversing(Generic[F]):
    """A check that holds a conversation of one sort."""

    def __init__(
        self, name: str, dialogue: type[Dialogue[F]], fields: type[F], kinds: tuple[str, ...] = ("tcp",)
    ) -> None:
        self.spec = CheckSpec(name=name, kinds=kinds, fields=fields, package=PACKAGE)
        self._dialogue, self._fields = dialogue, fields

    async def run(self, context: TunnelContext) -> None:
        """Dials and converses, within the deadline."""
        check, loop = context.tunnel.spec.check, asyncio.get_running_loop()
        wanted = self.wanted(context)
        talk, stream = Conversation(), None
        dialogue = self._dialogue(talk, wanted, context)
        try:
            async with asyncio.timeout(check.timeout) as deadline:
                stream, _ = await context.dial(lambda: talk)
                if check.timeout is None:
                    deadline.reschedule(loop.time() + PATIENCE)
                if isinstance(wanted, Verified) and wanted.under_tls:
                    await talk.start_tls(tls_context(wanted), wanted.host or dialogue.name)
                farewell = await dialogue.hold()
            await leave(talk, stream, farewell)
        except TimeoutError:
            late = f"{talk.awaited} did not come within {check.timeout or PATIENCE:g} seconds"
            raise self.failed(context, late) from None
        except NoAnswer as problem:
            raise self.failed(context, str(problem)) from problem
        finally:
            if stream is not None and not stream.is_closing():
                stream.abort()

    def wanted(self, context: TunnelContext) -> F:
        """What the file says of it."""
        return self._fields.model_construct(None, **context.tunnel.spec.check.options)

    def failed(self, context: TunnelContext, what: str) -> RuntimeFailure:
        """The failure, with who dialed what."""
        dial = context.tunnel.dial
        where = f"{dial.by} dialed {dial}" + (f" ({dial.means})" if dial.means else "") if dial else context.tunnel.name
        return RuntimeFailure(
            Code.CHECK_FAILED,
            f"{where}: {what}",
            host=dial.means if dial else None,
            suggestion=f"look whether it is {self.spec.name} that listens there",
        )


async def leave(talk: Conversation, stream: Stream, farewell: bytes) -> None:
    """Says goodbye, where there is something to say, and lets the target hang up first: no server counts it as a client
    that got lost."""
    if farewell:
        talk.say(farewell)
        talk.end_tls()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING):
                await talk.hung_up()
    else:
        talk.end_tls()
    stream.close()


def tls_context(wanted: Verified) -> ssl.SSLContext:
    """Verifies by name against the system's authorities, or those of ``ca``, unless told not to."""
    if wanted.insecure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=wanted.ca)
    except (OSError, ssl.SSLError) as error:
        raise NoAnswer(f"the authorities in {wanted.ca} cannot be read: {error}") from error
