"""A running orchestra as a unit of systemd (systemd.service(5), systemd.syntax(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = "# written by `orchestra service install`, removed by `orchestra service uninstall`"
"""The first line, by which a unit of ours is known."""

WATCHDOG = 30
"""Seconds without a sign of life after which it is started anew."""


def unit_text(name: str, file: str, start: Sequence[str], reload: Sequence[str]) -> str:
    """The unit. ``start`` and ``reload``: programs by absolute path, with their arguments.

    It is started when its tunnels are ready, however long that takes: who needs them can be ordered after it. What
    trying again would not mend (2: the file, 3: the model) is not tried again.
    """
    return f"""\
{MARK}
[Unit]
Description=orchestra {name} ({_specifiers(clean(file))})
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command_line(start)}
ExecReload={command_line(reload)}
WatchdogSec={WATCHDOG}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 3
TimeoutStartSec=infinity
TimeoutStopSec=20

[Install]
WantedBy=default.target
"""


def command_line(words: Sequence[str]) -> str:
    """Words that systemd takes as they are: quoted, with nothing left to expand."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{_specifiers(escaped).replace("$", "$$")}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
