"""ssh_config(5) as OpenSSH reads it: what a server leaves unset in the topology comes from there.

Pure but for :mod:`machine` and the reading in :mod:`files`: text and a context that answers what only a machine can
know become settings. Nothing is run unless the context has an ``execute``.

====================  ========================================================================================
syntax, patterns      lines, words and quotes; ``*``, ``?`` and ``!``
values, keywords      what may stand after each keyword; which of them a tunnel depends on
entries, files        lines with their meaning; files, each read once and checked as ssh checks them
tokens                ``%h``, ``${VAR}``, ``~``
choosing              Host, Match, Include: which lines hold for one host
concerns              what cannot be honoured, and when that means not to dial
resolving             the lines that hold, as settings of ours
merging, applying     the topology file over them; ProxyJump as servers that one is behind
machine               this machine as a context
====================  ========================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.lazily import lazily

if TYPE_CHECKING:
    from orchestra.loading.sshconfig.applying import Applied, apply_ssh_config
    from orchestra.loading.sshconfig.choosing import Context, Source
    from orchestra.loading.sshconfig.files import Library
    from orchestra.loading.sshconfig.machine import standard, this_machine
    from orchestra.loading.sshconfig.resolving import Resolution, resolve

__all__ = [
    "Applied",
    "Context",
    "Library",
    "Resolution",
    "Source",
    "apply_ssh_config",
    "resolve",
    "standard",
    "this_machine",
]

__getattr__ = lazily(
    __name__,
    {
        "Applied": "applying",
        "Context": "choosing",
        "Library": "files",
        "Resolution": "resolving",
        "Source": "choosing",
        "apply_ssh_config": "applying",
        "resolve": "resolving",
        "standard": "machine",
        "this_machine": "machine",
    },
)
"""What opens sessions needs only patterns and tokens of it, and does not wait for the rest."""
