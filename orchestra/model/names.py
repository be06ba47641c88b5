"""Users and files that are safe to hand on: to other programs, to hints that people copy, to logs.

For hosts see :func:`orchestra.model.address.check_host_name`. A topology may be a stranger's, and ssh_config may hold
what a stranger chose (CVE-2023-51385).
"""

from __future__ import annotations

import re
import unicodedata

_USER = re.compile(r"(?!-)[^\s\x00-\x1f\x7f'\"`$;&<>|(){}]*[^\s\x00-\x1f\x7f'\"`$;&<>|(){}\\]\Z")
_ALIAS = re.compile(r"(?!-)[^\s\x00-\x1f\x7f'\"`$\\;&<>|(){},]+\Z")
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class UnsafeName(ValueError):
    """The text is refused; ``str(error)`` says why, ``suggestion`` what is wanted."""

    def __init__(self, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def check_user(text: str) -> None:
    """Raises UnsafeName for what OpenSSH refuses as a user (valid_ruser in ssh.c): options, blanks, a shell's marks."""
    if not _USER.match(text):
        hint = "no blanks, quotes or characters of a shell, and no '-' at the beginning"
        raise UnsafeName(f"{text!r} is not a user name", hint)


def check_alias(text: str) -> None:
    """Raises UnsafeName for what OpenSSH refuses as the host on its command line (valid_hostname in ssh.c)."""
    if not _ALIAS.match(text):
        hint = "no blanks, quotes or characters of a shell, and no '-' at the beginning"
        raise UnsafeName(f"{text!r} is not the name of a host in ssh_config", hint)


def check_file(text: str) -> None:
    """Raises UnsafeName for a file that looks like an option, runs something in a shell, or hides what it is.

    Blanks are common in the names of agents' sockets, and pass.
    """
    if text.startswith("-"):
        raise UnsafeName(f"{text!r} looks like an option, not like a file", f"write ./{text}")
    if "`" in text or "$(" in text or any(unicodedata.category(char) in _CONTROLS for char in text):
        hint = "no backticks, no '$(' and no control characters"
        raise UnsafeName(f"{text!r} is not the name of a file", hint)
