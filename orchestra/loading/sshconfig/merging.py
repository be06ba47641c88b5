"""The topology file over ssh_config: what the file says stands, what it leaves unset comes from there."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from orchestra.loading.sshconfig.resolving import Resolution
from orchestra.model.address import AddressError, check_host_name
from orchestra.model.topology import ConfigSettings, Host, SshSettings

_PLAIN = ("port", "user", "host_key_name", "host_key_policy", "keepalive", "connect_timeout")
_AUTHENTICATION = ("identity", "certificate", "agent")
_SETTINGS = frozenset(each.name for each in fields(SshSettings))


def asked_host(host: Host) -> str:
    """What one would write after `ssh`."""
    settings = host.server.ssh if host.server else SshSettings()
    return settings.config_host or settings.host or host.name


def given(host: Host) -> dict[str, Any]:
    """What the file decides, as keywords: as if it stood on ssh's command line."""
    settings = host.server.ssh if host.server else SshSettings()
    found: dict[str, Any] = {"user": settings.user, "port": settings.port, "hostkeyalias": settings.host_key_name}
    if settings.config_host:
        found["hostname"] = settings.host
    if host.attachments or host.behind:
        found |= {"proxyjump": (), "proxycommand": "none"}
    return {keyword: value for keyword, value in found.items() if value is not None}


def merged(host: Host, found: Resolution) -> SshSettings:
    """The settings of a host with those of ssh_config below them, and where these came from."""
    own = host.server.ssh if host.server else SshSettings()
    below = found.settings
    names = [name for name in _PLAIN if getattr(own, name) is None]
    names += [name for name in _AUTHENTICATION if not (getattr(own, name) or (name != "agent" and _named(own)))]
    taken = {name: getattr(below, name) for name in names}
    if "host" in found.origins and (own.host is None or own.config_host is None):
        names.append("host")
        taken["host"] = below.host
    elif own.host is None and not host.attachments:
        taken["host"] = asked_host(host) if _is_host_name(asked_host(host)) else None
    origins = {name: where for name, where in found.origins.items() if name in names or name not in _SETTINGS}
    config = replace(below.config or ConfigSettings(), origins=origins)
    return replace(own, **taken, config=config)


def _named(own: SshSettings) -> bool:
    """Whether the file says how to log in; then nothing else is offered."""
    return bool(own.identity or own.private_key or own.password or own.agent not in (None, "none"))


def _is_host_name(text: str) -> bool:
    try:
        check_host_name(text)
    except AddressError:
        return False
    return True
