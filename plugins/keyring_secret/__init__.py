"""Secrets from the system's keyring. It is not called ``keyring``, so that nothing can take it for the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestra.plugin import hookimpl

from .secret import KeyringSecret

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import SecretSource


@hookimpl
def orchestra_secrets() -> Iterable[SecretSource]:
    """``{keyring: …}``."""
    return [KeyringSecret()]
