"""Keywords of ssh_config(5), by ``-o`` or from a file, as parts of an invocation."""

from __future__ import annotations

from orchestra.loading.sshconfig.values import NONE, BadValue, Jump, jump, port_number

from .forwards import checked_host, parse
from .invocation import Invocation

FORWARDS = {"localforward": "L", "remoteforward": "R", "dynamicforward": "D"}
_KEYS = {"user": "user", "hostkeyalias": "host_key_name", "hostname": "host"}
_FILES = {"identityfile": "identity", "certificatefile": "certificate", "userknownhostsfile": "known_hosts"}
_SAID = {
    "proxycommand": "ProxyCommand {!r} is not taken over: use servers that one is `behind`",
    "localcommand": "LocalCommand is not run",
    "remotecommand": "RemoteCommand is not run",
    "forwardagent": "the agent is not forwarded: no server on the way needs it",
    "tunnel": "Tunnel (a network device) is not opened",
    "permitremoteopen": "PermitRemoteOpen is not taken over: write `socks: {{allow: [...]}}`",
}
_OFF = frozenset({"no", "none", "false", "off"})


def apply(made: Invocation, name: str, value: str) -> None:
    """One keyword, in lower case, with its arguments as written. Raises BadValue."""
    if name in FORWARDS:
        made.forwards.append(parse(FORWARDS[name], ":".join(value.split())))  # type: ignore[arg-type]
    elif name == "port":
        made.ssh["port"] = port_number(value)
    elif name in _KEYS:
        made.ssh[_KEYS[name]] = value if name == "user" else checked_host(value)
    elif name in _FILES:
        _apply_files(made, name, value)
    elif name == "proxyjump":
        made.jumps = jumps(value)
    elif name == "gatewayports":
        made.exposed = value.lower() in ("yes", "true")
    elif name == "connecttimeout" and value.isdigit():
        made.ssh["connect_timeout"] = f"{value}s"
    elif name == "stricthostkeychecking":
        _apply_strict(made, value.lower())
    elif name in _SAID and value.lower() not in _OFF:
        made.notes.append(_SAID[name].format(value))


def jumps(text: str) -> tuple[Jump, ...]:
    """``-J``. Raises BadValue."""
    found = () if text.lower() == NONE else tuple(map(jump, text.split(",")))
    for each in found:
        checked_host(each.host)
    return found


def _apply_files(made: Invocation, name: str, value: str) -> None:
    if value == "/dev/null":
        made.notes.append("no host key was remembered (UserKnownHostsFile /dev/null); orchestra checks every one")
    elif value.lower() != NONE:
        made.ssh.setdefault(_FILES[name], []).append(value)


def _apply_strict(made: Invocation, value: str) -> None:
    if value in _OFF:
        made.notes.append("host keys were not checked (StrictHostKeyChecking no); see them once: orchestra trust")
    elif value == "accept-new":
        made.ssh["host_key_policy"] = value
    elif value in ("yes", "true"):
        made.ssh["host_key_policy"] = "strict"


def checked(text: str, what: str) -> str:
    """An argument that is there. Raises BadValue."""
    if not text:
        raise BadValue(f"{what} needs an argument")
    return text
