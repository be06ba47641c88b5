"""ssh_config: every host that it names one by one, as `ssh HOST` would use it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.errors import TopologyInvalid
from orchestra.loading.sshconfig import Library, Source, this_machine
from orchestra.loading.sshconfig.choosing import Choice, choose
from orchestra.loading.sshconfig.entries import Host, entries
from orchestra.loading.sshconfig.files import Text, read
from orchestra.loading.sshconfig.resolving import jump_of
from orchestra.loading.sshconfig.values import BadValue
from orchestra.plugin.interfaces import Imported, ImportRequest

from .drafting import drafted, with_left_out
from .forwards import checked_host
from .invocation import Invocation
from .keywords import FORWARDS, apply

MOST = 10
"""Lines that are no ssh_config and are said, of each host: what is included by mistake is not to be copied."""


class Fields(BaseModel):
    """What is taken over."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    hosts: list[str] | None = None
    """The hosts, by the names that `ssh` knows them by; default: those that forward something, else all."""


def from_config(request: ImportRequest) -> Imported:
    """The hosts as ssh would use them; what they leave to ssh_config stays there."""
    library = Library(lambda path: Text(text=request.text) if path == request.name else read(path))
    context = this_machine(request.environ)
    names = named(request.text)
    wanted = request.options.get("hosts")
    hosts: dict[str, Invocation] = {}
    left: list[str] = []
    for name in dict.fromkeys((*names, *(wanted or ()))):
        choice = choose([Source(path=request.name)], library, name, context)
        try:
            hosts[checked_host(name)] = _invocation(choice)
        except BadValue as error:
            left.append(f"the host {name} is not taken over: {error}")
    forwarding = [name for name, made in hosts.items() if made.forwards]
    chosen = [name for name in wanted or forwarding or names if name in hosts]
    if not chosen:
        place = Place(request.name, 1, 1)
        message = "; ".join(left) or "it names no host; `Host *` says nothing of any one"
        raise TopologyInvalid((Diagnostic(code=Code.BAD_VALUE, severity="error", message=message, place=place),))
    made = drafted([hosts[name] for name in chosen], request.name, hosts)
    if idle := [name for name in hosts if not wanted and name not in _taken(made)]:
        left.append(f"not taken over, since nothing is forwarded there: {', '.join(idle)} (--set hosts=[...] does)")
    return with_left_out(made, left)


def _taken(made: Imported) -> set[str]:
    """The hosts of ssh_config that are servers now."""
    logins: list[Any] = [server["ssh"] for server in made.document["servers"].values() if isinstance(server, dict)]
    return {ssh["config_host"] for ssh in logins if "config_host" in ssh}


def named(text: str) -> list[str]:
    """The hosts that ``Host`` names one by one, in the order of the file."""
    found = (entry.meaning.patterns for entry in entries(text) if isinstance(entry.meaning, Host))
    return list(dict.fromkeys(each for patterns in found for each in patterns if not set(each) & set("*?!")))


def _invocation(choice: Choice) -> Invocation:
    made = Invocation(host=checked_host(choice.host), ssh={"config_host": choice.asked})
    for name in ("user", "port"):
        if (value := choice.value(name)) is not None:
            made.ssh[name] = value
    made.jumps = choice.value("proxyjump", ())
    for jump in made.jumps:
        checked_host(jump.host)
    command = choice.value("proxycommand", "none")
    if command.lower() != "none" and not made.jumps:
        through = jump_of(command)
        made.jumps = (through,) if through else ()
        if through is None:
            apply(made, "proxycommand", command)
    made.exposed = bool(choice.value("gatewayports", False))
    for name in FORWARDS:
        for setting in choice.added.get(name, ()):
            try:
                apply(made, name, " ".join(setting.value))
            except BadValue as error:
                made.notes.append(f"{name} at line {setting.place.line if setting.place else 0}: {error}")
    if choice.value("stricthostkeychecking") == "off":
        apply(made, "stricthostkeychecking", "no")
    refusals = [remark.message for remark in choice.refusals]
    made.notes += [*refusals[:MOST], f"and {len(refusals) - MOST} more of that file"] if refusals[MOST:] else refusals
    return made
