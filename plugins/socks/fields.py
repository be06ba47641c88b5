"""The fields of ``kind: socks``, which stand under ``socks:``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from orchestra.loading import Secret

from .allow import parse_entry


def _entry(text: str) -> str:
    parse_entry(text)
    return text


def _given(value: object) -> object:
    if value is None:
        raise ValueError("it has no value; give it one or remove it")
    return value


class User(BaseModel):
    """Who is served; SOCKS 4, which has no passwords, is refused then."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    user: str
    """The name that clients have to give."""
    password: Secret
    """What they have to know; read when the first of them comes, and kept while the tunnel is open."""


class Fields(BaseModel):
    """What clients of the proxy may do."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    allow: Annotated[list[Annotated[str, AfterValidator(_entry)]] | None, BeforeValidator(_given)] = None
    """What they may ask for: `10.20.0.0/24:*`, `*.office.example:443`, `db.internal:5432`; default: everything, or
    nothing where the listener can be dialed from beyond its own host."""
    login: Annotated[User | None, BeforeValidator(_given)] = None
    """The user and the password that clients have to give; default: whoever can dial the listener is served."""
