"""Tunnels that serve only clients of some networks: ``kind: guarded``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import Check, Kind, TunnelContext
from orchestra.plugin.vocabulary import CheckSpec, KindSpec
from orchestra.session.conversation import Conversation
from orchestra.session.protocols import Accept, Peer, Receiver

PACKAGE = "orchestra-guarded"


def _network(text: str) -> str:
    ip_network(text)  # what it raises is said where the text stands in the file
    return text


class Fields(BaseModel):
    """What stands under ``guarded:``. The docstrings are what `orchestra schema` says."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    allow: list[Annotated[str, AfterValidator(_network)]]
    """The networks whose clients are served."""


class GuardedKind:
    """Carries what it accepts, as a plain tunnel does, for whom it is meant."""

    spec = KindSpec(name="guarded", fields=Fields, package=PACKAGE)

    def serve(self, context: TunnelContext) -> Accept:
        networks = [ip_network(text) for text in context.tunnel.spec.options["allow"]]

        async def accept(peer: Peer) -> Receiver:
            address = ip_address(peer.host) if peer.host else None
            if address is None or not any(address in network for network in networks):
                raise ConnectionRefusedError(f"{peer.text} is not of the networks that are served")
            return await context.relay()

        return accept


class GuardedCheck:
    """One dial of the target. A tunnel without `check` takes the one that is called like its kind."""

    spec = CheckSpec(name="guarded", kinds=("guarded",), package=PACKAGE)

    async def run(self, context: TunnelContext) -> None:
        seconds = context.tunnel.spec.check.timeout
        try:
            async with asyncio.timeout(seconds):
                stream, _ = await context.dial(Conversation)
        except TimeoutError:
            message = f"{context.tunnel.name}: its target was not reached within {seconds:g} seconds"
            raise RuntimeFailure(Code.CHECK_FAILED, message) from None
        stream.close()


@hookimpl
def orchestra_kinds() -> Iterable[Kind]:
    """``kind: guarded``."""
    return [GuardedKind()]


@hookimpl
def orchestra_checks() -> Iterable[Check]:
    """``check: guarded``."""
    return [GuardedCheck()]
