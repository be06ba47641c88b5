"""Secrets from the system's keyring, by the library ``keyring``: the Secret Service, KWallet, macOS' keychain.

The library is imported when a secret is read, in a thread of its own: it may talk to a person for as long as it likes.
The module is not called ``keyring``, so that nothing can take it for the library.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from orchestra.diagnostics import Code
from orchestra.model.topology import SecretRef
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import SecretSource
from orchestra.plugin.vocabulary import SecretSpec
from orchestra.session.errors import OpenFailed
from orchestra.session.threads import in_thread

EXTRA = "pip install 'orchestra-tunnels[keyring]'"


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


class KeyringSecret:
    """``{keyring: SERVICE/USERNAME}``. One is read at a time, since a locked keyring asks a person."""

    spec = SecretSpec(
        name="keyring",
        value="any",
        meaning="The entry of the system's keyring that holds it, `SERVICE/USERNAME` or a map.",
        fields=Entry,
        package="orchestra-tunnels",
    )

    def __init__(self) -> None:
        self._turn = threading.Lock()

    async def read(self, ref: SecretRef) -> bytes:
        """The password of that entry, as UTF-8."""
        return await in_thread(partial(self._read, ref.value["service"], ref.value["username"]))

    def _read(self, service: str, username: str) -> bytes:
        try:
            import keyring
            from keyring.errors import KeyringError, KeyringLocked, NoKeyringError
        except ImportError as error:
            raise _unavailable(f"the library keyring is not installed ({error.name})", EXTRA) from error
        try:
            with self._turn:
                password = keyring.get_password(service, username)
        except NoKeyringError as error:
            hint = "start one (gnome-keyring, KWallet), or name one by PYTHON_KEYRING_BACKEND"
            raise _unavailable("there is no keyring here that could be asked", hint) from error
        except KeyringLocked as error:
            raise _unavailable("the keyring is locked, and was not unlocked", "unlock it") from error
        except KeyringError as error:
            raise _unavailable(f"the keyring cannot be read ({type(error).__name__})") from error
        if password is None:
            hint = f"keyring set {service} {username}"
            raise _unavailable(f"the keyring has no entry {service}/{username}", hint)
        return password.encode()


def _unavailable(message: str, hint: str | None = None) -> OpenFailed:
    return OpenFailed(Code.SECRET_UNAVAILABLE, message, suggestion=hint)


@hookimpl
def orchestra_secrets() -> Iterable[SecretSource]:
    """``{keyring: …}``."""
    return [KeyringSecret()]
