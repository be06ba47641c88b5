"""Secrets from the system's keyring, by the library ``keyring``: the Secret Service, KWallet, macOS' keychain.

The library is imported when a secret is read, in a thread of its own: it may talk to a person for as long as it likes.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestra.diagnostics import Code
from orchestra.plugin.vocabulary import SecretSpec
from orchestra.session.errors import OpenFailed

if TYPE_CHECKING:
    from orchestra.model.topology import SecretRef

EXTRA = "pip install 'orchestra-tunnels[keyring]'"


def _entry() -> type[Any]:
    from .fields import Entry

    return Entry


class KeyringSecret:
    """``{keyring: SERVICE/USERNAME}``. One is read at a time, since a locked keyring asks a person."""

    spec = SecretSpec(
        name="keyring",
        value="any",
        meaning="The entry of the system's keyring that holds it, `SERVICE/USERNAME` or a map.",
        fields=_entry,
        package="orchestra-tunnels",
    )

    def __init__(self) -> None:
        self._turn = threading.Lock()

    async def read(self, ref: SecretRef) -> bytes:
        """The password of that entry, as UTF-8."""
        from orchestra.session.threads import in_thread

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
