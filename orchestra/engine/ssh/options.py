"""What asyncssh is told of a connection: everything that it might otherwise read, offer or trust by itself."""

from __future__ import annotations

from typing import Any

from orchestra.diagnostics import Code
from orchestra.engine.ssh import internals
from orchestra.engine.ssh.algorithms import assemble
from orchestra.engine.ssh.authenticating import methods
from orchestra.engine.ssh.trust import Verifier
from orchestra.model.text import clean
from orchestra.model.topology import ConfigSettings, SshSettings
from orchestra.session.errors import OpenFailed

KEEPALIVE_FIRST = 15.0
"""Seconds that a server may be silent."""
KEEPALIVE_STEP = 5.0
"""A further hop waits longer, so that the hop at fault is the one that is named."""
KEEPALIVE_PROBES = 3
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)


def silence(settings: SshSettings, depth: int) -> float:
    """Seconds that a server may be silent, 0 for ever. ``depth`` is 1 for one that this machine dials."""
    return KEEPALIVE_FIRST + KEEPALIVE_STEP * (depth - 1) if settings.keepalive is None else settings.keepalive


def options(settings: SshSettings, verifier: Verifier, user: str, depth: int) -> dict[str, Any]:
    """The keyword arguments of :func:`asyncssh.connect`. ``depth`` is 1 for a server that this machine dials.

    Raises OpenFailed when ssh_config leaves no algorithm that is known here.
    """
    config = settings.config or ConfigSettings()
    return {
        "username": user,
        "known_hosts": lambda *_: ([], [], []),  # asyncssh itself trusts nobody: the verifier judges
        "host_key_alias": verifier.name,
        "server_host_key_algs": verifier.algorithms(),
        **_negotiated(config, verifier.about.server),
        "compression_algs": ["none"],
        "client_keys": None,  # ours come by public_key_auth_requested; an empty list would mean the default files
        "agent_path": None,
        "agent_forwarding": False,
        "x11_forwarding": False,
        "x509_trusted_certs": None,
        "x509_trusted_cert_paths": [],
        "gss_host": None,
        "host_based_auth": False,
        "password": None,  # as above
        "preferred_auth": methods(config),
        "keepalive_interval": silence(settings, depth) / KEEPALIVE_PROBES,
        "keepalive_count_max": KEEPALIVE_PROBES - 1,
        "login_timeout": 0,
        "utf8_decode_errors": "replace",  # banners and reasons are for people, and many a banner is Latin-1
    }


def _negotiated(config: ConfigSettings, server: str) -> dict[str, tuple[str, ...]]:
    """What ssh_config says of key exchange, ciphers and MACs. Raises OpenFailed when nothing is left."""
    asked = {"kex_algs": config.kex_algorithms, "encryption_algs": config.ciphers, "mac_algs": config.macs}
    found: dict[str, tuple[str, ...]] = {"encryption_algs": CIPHERS}
    for option, (default, known) in internals.negotiable().items() if any(asked.values()) else ():
        spec = asked[option]
        if spec is None:
            continue
        found[option] = assemble(spec, CIPHERS if option == "encryption_algs" else default, known)
        if not found[option]:
            what = f"{server}: of the algorithms {clean(spec, 120)} in ssh_config none is known here"
            raise OpenFailed(Code.SSH_CONFIG_REFUSED, what, host=server, suggestion=f"known are {', '.join(known)}")
    return found
