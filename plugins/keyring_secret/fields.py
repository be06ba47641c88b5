"""What stands behind ``keyring:``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema


class Entry(BaseModel):
    """Which entry of the keyring. Short form: `SERVICE/USERNAME`."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    service: str = Field(min_length=1)
    """What the secret is for, as it was stored."""
    username: str = Field(min_length=1)
    """Whose it is."""

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        service, slash, username = value.rpartition("/")
        if not (slash and service and username):
            raise ValueError("write SERVICE/USERNAME, or {service: …, username: …}")
        return {"service": service, "username": username}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}
