"""``check: dial``: a proxy has no target of its own, so the file says what its exit has to be able to dial."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.address import AddressError, Endpoint, parse_address
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import Conversation


def _endpoint(text: str) -> Endpoint:
    address = parse_address(text)
    if not isinstance(address, Endpoint) or address.host is None or address.port is None:
        raise AddressError(f"{text!r} names no host", "write HOST:PORT")
    return address


def _checked(text: str) -> str:
    _endpoint(text)
    return text


class Dial(BaseModel):
    """What is dialed."""

    model_config = ConfigDict(strict=True, extra="forbid")

    to: Annotated[str, AfterValidator(_checked)] = Field(
        description="The HOST:PORT that the exit dials; a name is resolved there."
    )


async def dial(context: TunnelContext) -> None:
    """One dial from the exit, as for a client of the proxy, closed at once."""
    check = context.tunnel.spec.check
    where = _endpoint(check.options["to"])
    try:
        async with asyncio.timeout(check.timeout):
            stream, _ = await context.dial(Conversation, where.host, where.port)
    except TimeoutError:
        message = f"{context.tunnel.name}: its exit dialed {where}: no answer within {check.timeout:g} seconds"
        raise RuntimeFailure(Code.CHECK_FAILED, message) from None
    stream.close()
