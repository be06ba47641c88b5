"""The health check that core brings: one dial. What it needs is imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.plugin.vocabulary import CheckSpec

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import TunnelContext

SSH = 22
GOODBYE = b"SSH-2.0-orchestra\r\n" + bytes.fromhex("0000001c07010000000b00000007636865636b65640000000000000000000000")
"""An identification and SSH_MSG_DISCONNECT, by application (RFC 4253 sections 4.2 and 11.1): an sshd that is connected
to and left counts it against the address (PerSourcePenalties)."""
LEAVING = 1.0
"""Seconds that an sshd has to hang up."""


class TcpCheck:
    """One dial through the whole chain, closed at once; where an sshd may be meant, with a goodbye."""

    spec = CheckSpec(name="tcp")

    async def run(self, context: TunnelContext) -> None:
        import asyncio
        import contextlib

        from orchestra.engine.dialing import attempt
        from orchestra.session.conversation import Conversation
        from orchestra.session.errors import DialRefused

        tunnel = context.tunnel
        try:
            async with asyncio.timeout(tunnel.spec.check.timeout):
                stream, talk = await context.dial(Conversation)
        except TimeoutError:
            who = attempt(tunnel.dial) if tunnel.dial is not None else tunnel.name
            message = f"{who}: no answer within {tunnel.spec.check.timeout:g} seconds"
            raise DialRefused(Code.CONNECT_TIMEOUT, message, host=tunnel.dial.by if tunnel.dial else None) from None
        try:
            if tunnel.dial is not None and tunnel.dial.port == SSH:
                talk.say(GOODBYE)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LEAVING):
                        await talk.hung_up()
        finally:
            stream.close()
