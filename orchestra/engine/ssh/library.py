"""asyncssh, loaded: imported before anything that imports asyncssh, it takes a third of the time off that.

asyncssh asks :func:`ctypes.util.find_library` for libraries that it can do without, and that runs a compiler and a
linker for each that is not there; and it loads what there is for X.509 certificates, which :mod:`options` never asks
for.
"""

from __future__ import annotations

import ctypes.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import cast

_CACHE = Path("/etc/ld.so.cache")
"""What the dynamic linker of glibc knows, ldconfig(8): paths of libraries, each with a zero at its end."""
_CERTIFICATES = "asyncssh.crypto.x509"
"""A module that asyncssh can do without, too: it needs pyOpenSSL."""


@contextmanager
def _quickly() -> Iterator[None]:
    usual, hidden = ctypes.util.find_library, _CERTIFICATES not in sys.modules
    if _CACHE.exists():
        ctypes.util.find_library = linked
    if hidden:
        sys.modules[_CERTIFICATES] = cast(ModuleType, None)  # which is how Python writes that it is not there
    try:
        yield
    finally:
        ctypes.util.find_library = usual
        if hidden:
            del sys.modules[_CERTIFICATES]


def linked(name: str) -> str | None:
    """The file name of a library that the dynamic linker knows and can load."""
    found = re.search(rb"[\0/](lib%b\.so[.\d]*)\0" % re.escape(name.encode()), _CACHE.read_bytes())
    if found is None:
        return None
    try:
        ctypes.CDLL(file := found[1].decode())
    except OSError:  # it is for another processor
        return None
    return file


with _quickly():
    import asyncssh as asyncssh
