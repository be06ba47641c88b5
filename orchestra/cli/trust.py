"""``orchestra trust``: shows the host keys of a plan's servers, and writes unknown ones after a yes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.completion import names
from orchestra.cli.console import Console
from orchestra.cli.errors import explain, report
from orchestra.cli.exits import Exit, exit_of_code, exit_of_plan
from orchestra.cli.options import (
    AllowExec,
    Client,
    Files,
    Format,
    Output,
    PluginModules,
    Profiles,
    Selection,
    Source,
    Tunnels,
)
from orchestra.cli.reading import read_plan, split_file
from orchestra.cli.starting import Refused, told
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.assembly.signals import Interrupts
    from orchestra.assembly.trust import Decide, Tour
    from orchestra.model.plan import PlannedSession
    from orchestra.plugin.interfaces import Ask, Identity, Look, Question

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Whose keys, by which topology."""

    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE] [SERVER]...",
            help="The topology, as for `up`; then servers. Default: every server that its tunnels pass.",
            show_default=False,
            autocompletion=names("servers"),
        ),
    ] = field(default_factory=list)
    files: Files = field(default_factory=list)
    client: Client = None
    plugins: PluginModules = field(default_factory=list)
    tunnels: Tunnels = field(default_factory=list)
    profiles: Profiles = field(default_factory=list)
    allow_exec: AllowExec = False
    fingerprint: Annotated[
        list[str],
        typer.Option(
            "--fingerprint",
            metavar="SERVER=SHA256:...",
            help="Trust this server's key if it has this fingerprint, and ask nobody; repeatable.",
            show_default=False,
        ),
    ] = field(default_factory=list)

    @property
    def servers(self) -> tuple[str, ...]:
        """The words that are servers."""
        return self._split()[1]

    @property
    def source(self) -> Source:
        """The topology."""
        return Source(file=self._split()[0], files=self.files, client=self.client, plugins=self.plugins)

    def _split(self) -> tuple[str | None, tuple[str, ...]]:
        return (None, tuple(self.words)) if self.files else split_file(self.words)


def trust(console: Console, whom: Whom, output: Output = Format.TEXT) -> int:
    """Show the fingerprints of unknown host keys, and write them to known_hosts after a yes.

    The servers are looked at in the order of their paths, each through those before it. Keys that changed are shown,
    and never replaced.
    """
    return told(console, lambda: _trust(console, whom, expected(whom.fingerprint), output))


def expected(texts: Iterable[str]) -> Mapping[str, str]:
    """Server to the fingerprint that its key must have. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        server, equals, value = text.partition("=")
        if not (server and equals and _FINGERPRINT.match(value)):
            raise UsageError(f"{text!r} is not SERVER=SHA256:…, as `ssh-keygen -l` prints it on the server")
        found[server] = value
    return found


def _trust(console: Console, whom: Whom, fingerprints: Mapping[str, str], output: Format) -> int:
    import asyncio

    from orchestra.assembly.launch import reachable_part
    from orchestra.assembly.signals import interruptible
    from orchestra.assembly.trust import Tour, sessions_to
    from orchestra.engine.asking import Questions

    selection = Selection(tunnels=whom.tunnels, profiles=whom.profiles)
    planned = read_plan(whom.source, selection, allow_exec=whom.allow_exec)
    read = planned.read
    report(planned.plan.diagnostics, read.sources, console)
    plan, code = reachable_part(planned.plan), exit_of_plan(planned.plan)
    if code is Exit.USAGE or (code and not plan.sessions):
        raise Refused(code)
    _check_servers([*whom.servers, *fingerprints], {session.server for session in plan.sessions})
    if not plan.sessions:
        console.say("no tunnel that is opened from here passes a server: there is nothing to trust")
    questions = Questions(_ask)
    tour = Tour(
        sessions=sessions_to(plan, whom.servers),
        topology=read.topology,
        plugins=read.plugins,
        decide=_by_fingerprint(fingerprints) if fingerprints else _by_asking(questions),
        ask=questions,
        notice=lambda text: console.detail(f"! {text}"),
    )

    async def work(_: Interrupts) -> list[Look]:
        return await _show(console, tour, plan.client, output)

    return exit_of_looks(asyncio.run(interruptible(work)))


async def _ask(question: Question) -> str | None:
    from orchestra.cli.asking import ask_person

    return await ask_person(question, os.environ)


def _by_fingerprint(fingerprints: Mapping[str, str]) -> Decide:
    async def decide(session: PlannedSession, identity: Identity) -> bool:
        return fingerprints.get(session.server) == identity.fingerprint

    return decide


def _by_asking(ask: Ask) -> Decide:
    from orchestra.engine.vouching import is_vouched_for

    async def decide(_: PlannedSession, identity: Identity) -> bool:
        return identity.question is not None and await is_vouched_for(identity.fingerprint, identity.question, ask)

    return decide


def _check_servers(named: Iterable[str], known: set[str]) -> None:
    """Raises UsageError for a name that no tunnel passes."""
    for name in named:
        if name not in known:
            passed = ", ".join(sorted(known)) or "none"
            raise UsageError(
                f"no tunnel that is opened from here passes a server {name!r}; those that are passed: {passed}"
            )


async def _show(console: Console, tour: Tour, client: str, output: Format) -> list[Look]:
    """Each look as soon as it is taken, unless all of them make one document."""
    from orchestra.render.trust import trust_json, trust_line
    from orchestra.session.here import Here

    here, looks = Here(client), []
    width = max((len(session.server) for session in tour.sessions), default=0)
    try:
        async for look in tour.looks(here):
            looks.append(look)
            if output is Format.TEXT:
                console.data(trust_line(look, console.out.style, width=width))
                console.flush()
                if look.error is not None:
                    console.error(explain(look.error, console))
    finally:
        here.close()
        await here.wait_closed()
    if output is Format.JSON:
        console.json(trust_json(looks))
    return looks


def exit_of_looks(looks: Iterable[Look]) -> Exit:
    """4 when a key is not trusted or we are not let in, 1 when somebody could not be asked, else 0."""
    codes = {exit_of_code(look.error.code) for look in looks if look.error is not None}
    return Exit.IDENTITY if Exit.IDENTITY in codes else Exit.FAILED if codes else Exit.DONE
