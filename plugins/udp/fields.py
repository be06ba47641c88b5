"""The fields of ``kind: udp``, which stand under ``udp:``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from orchestra.loading import PositiveDuration

from .flows import LEAST_IDLE, MOST


class Fields(BaseModel):
    """How datagrams are carried."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    preset: Literal["plain", "dns", "realtime", "bulk"] = "plain"
    """What the datagrams are like: `dns` forgets a peer after 30 s; `realtime` would rather lose a datagram than
    deliver it late; `bulk` the other way round."""
    idle: PositiveDuration | None = None
    """How long a peer may be silent before its flow is forgotten, from 120s; default: 300s, `dns`: 30s."""
    age: PositiveDuration | None = None
    """How long a datagram may wait where the way is too slow, at most 60s; default: 250ms, `realtime`: 100ms,
    `bulk`: 2s."""
    queue: Annotated[int, Field(ge=65536, le=8388608)] | None = None
    """How many bytes of one flow may wait; default: 262144, `bulk`: 1048576."""
    flows: Annotated[int, Field(ge=1, le=4096)] = MOST
    """How many peers are served at once; one more, and the one that was silent longest is forgotten."""
    df: bool = False
    """Whether datagrams are sent with "don't fragment", as QUIC and WireGuard want it."""
    over: Literal["udp", "tcp", "both"] = "udp"
    """By which protocol the target is dialed. `both`: each as it came, since the port is open by TCP as well, for
    resolvers that ask again what is too long for a datagram; the default with `preset: dns`. `tcp`: also the datagrams
    (of DNS, RFC 7766), so that the exit runs no helper."""
    allow_degraded: bool = False
    """Whether `socat` or `nc` may carry where there is neither python3 nor perl: boundaries may be lost then."""

    @field_validator("idle")
    @classmethod
    def _long_enough(cls, idle: float | None, others: ValidationInfo) -> float | None:
        if idle is not None and idle < LEAST_IDLE and others.data.get("preset") != "dns":
            raise ValueError("it is at least 120s (RFC 4787 REQ-5); shorter only with `preset: dns`")
        return idle

    @field_validator("age")
    @classmethod
    def _short_enough(cls, age: float | None) -> float | None:
        if age is not None and age > 60:
            raise ValueError("a datagram waits for at most 60s")
        return age

    @field_validator("over")
    @classmethod
    def _of_dns(cls, over: str, others: ValidationInfo) -> str:
        if over == "tcp" and others.data.get("preset") != "dns":
            raise ValueError("datagrams go by TCP if they are of DNS (RFC 7766); write `preset: dns` if they are")
        return over

    @model_validator(mode="after")
    def _of_resolvers(self) -> Self:
        if self.preset == "dns" and "over" not in self.model_fields_set:
            self.over = "both"
        return self
