"""The fields of ``kind: socks``, which stand under ``socks:``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from .allow import parse_entry


def _entry(text: str) -> str:
    parse_entry(text)
    return text


def _given(value: object) -> object:
    if value is None:
        raise ValueError("'allow' has no value; an empty list lets nothing through")
    return value


class Fields(BaseModel):
    """What clients of the proxy may do."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    allow: Annotated[list[Annotated[str, AfterValidator(_entry)]] | None, BeforeValidator(_given)] = None
    """What they may ask for: `10.20.0.0/24:*`, `*.office.example:443`, `db.internal:5432`; default: everything, or
    nothing where the listener can be dialed from beyond its own host."""
