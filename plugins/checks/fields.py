"""What may stand beside ``type`` in ``check:``, for the checks that share it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from orchestra.loading import File


class Fields(BaseModel):
    """None of its own. Models are finished when a file uses them: there are many, and a file uses few."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if value is None:
            raise ValueError("it has no value; give it one or remove it")
        return value


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression, as Python has them."""


HOST = "The name that it goes by: in its certificate, and as the Host of a request; default: what is dialed."


class Verified(Fields):
    """How a target under TLS is known to be the right one."""

    host: str | None = Field(None, pattern=r"^[!-~]+$", description=HOST)
    ca: File | None = Field(None, description="Authorities to believe, as PEM; default: the system's.")
    insecure: bool = Field(False, description="Believe any certificate.")

    @property
    def under_tls(self) -> bool:
        """Whether it is spoken with under TLS."""
        return True

    @model_validator(mode="after")
    def _one_of(self) -> Verified:
        if self.insecure and self.ca is not None:
            raise ValueError("with `insecure` any certificate is believed: remove it, or `ca`")
        return self


class Tls(Verified):
    """The same, of a target that may do without."""

    tls: bool = Field(False, description="Whether it speaks TLS from the first byte on.")

    @property
    def under_tls(self) -> bool:
        return self.tls

    @model_validator(mode="after")
    def _asked_for(self) -> Tls:
        if not self.tls and (self.insecure or self.ca is not None):
            raise ValueError("`ca` and `insecure` are about TLS: write `tls: yes` too")
        return self
