"""KnownHostsCommand of ssh_config(5): a program that prints lines of known_hosts."""

from __future__ import annotations

import base64
import getpass
import os
import socket
from pathlib import Path

from orchestra.engine.programs import ProgramFailed, output_of
from orchestra.engine.ssh import refusals
from orchestra.engine.ssh.hostkeys import ShownKey
from orchestra.engine.ssh.refusals import About
from orchestra.loading.sshconfig.tokens import BadToken, connection_hash, expand
from orchestra.model.address import SSH_PORT
from orchestra.model.topology import SshSettings

DEADLINE = 30.0
"""Seconds."""


async def known_hosts_of_command(settings: SshSettings, about: About, user: str, shown: ShownKey | None) -> str:
    """What the command prints, if there is one; ``shown`` is None before the server has shown its key.

    As in ssh, a command that fails ends the connection; and it is run only when the user allows it: raises OpenFailed.
    """
    config = settings.config
    if config is None or not config.known_hosts_command:
        return ""
    shortly = " ".join(config.known_hosts_command)
    if not config.allow_exec:
        raise refusals.command_not_allowed(about, shortly)
    try:
        values = _tokens(settings, about, user, shown)
        command = [expand(word, values) for word in config.known_hosts_command]
        return (await output_of(command, DEADLINE)).decode("utf-8", "replace")
    except (ProgramFailed, BadToken) as error:
        raise refusals.command_failed(about, str(error)) from error


def _tokens(settings: SshSettings, about: About, user: str, shown: ShownKey | None) -> dict[str, str]:
    """TOKENS of ssh_config(5)."""
    local = socket.gethostname()
    host, port = settings.host or about.name, settings.port or SSH_PORT
    return {
        "C": connection_hash(local, host, port, user, ""),
        "d": str(Path.home()),
        "h": host,
        "i": str(os.getuid()),
        "j": "",
        "k": settings.host_key_name or host,
        "L": local.partition(".")[0],
        "l": local,
        "n": settings.config_host or host,
        "p": str(port),
        "r": user,
        "u": getpass.getuser(),
        "H": about.filed,
        "I": "HOSTNAME" if shown else "ORDER",
        "t": shown.algorithm if shown else "NONE",
        "f": shown.fingerprint if shown else "NONE",
        "K": base64.b64encode(shown.blob).decode() if shown else "NONE",
    }
