"""Another plan for what runs: the files are read again as they were read first, and what differs is applied.

Nothing changes before everything has been read and planned; then nothing stands still that is not concerned. What was
added at run time stays until it is removed, or until a file has a tunnel of its name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from orchestra.assembly.reading import Wish
from orchestra.engine.core.report import is_fatal
from orchestra.loading.finding import STDIN_NAME
from orchestra.model.changes import Changes
from orchestra.model.events import Reloaded
from orchestra.model.frozen import dataclass
from orchestra.planning.changes import Standing, align, compare

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.assembly.reading import Read
    from orchestra.assembly.running import Running
    from orchestra.control.handlers import Document
    from orchestra.engine import Engine
    from orchestra.model.plan import Plan
    from orchestra.model.status import ErrorStatus
    from orchestra.model.topology import Topology

_SOON = 5.0
"""Seconds until an attempt that is worth waiting for."""
DRAIN = 30.0
"""Seconds that connections have whose tunnel or session is no part of the new plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    number: int
    launch: Launch
    wish: Wish
    changes: Changes


class Reloading:
    """Changes what one engine runs, one change after the other. ``lab``: the topology of its lab, if it is in one."""

    def __init__(self, running: Running, engine: Engine, launch: Launch, read: Read, lab: Topology | None) -> None:
        self._running, self._engine, self._read = running, engine, read
        self._launch, self._lab = launch, lab
        self._options: Document | None = None
        self._additions: Mapping[str, str] = {}
        self._hosts = {session.id: launch.topology.hosts[session.server] for session in launch.plan.sessions}
        self._known = {session.id: session for session in launch.plan.sessions}
        self._turn = asyncio.Lock()
        self._count = 0
        self._proposal: _Proposal | None = None

    @property
    def added(self) -> frozenset[str]:
        """Names of the tunnels that no file has."""
        found = {name: self._launch.topology.tunnels.get(name) for name in self._additions}
        return frozenset(
            name for name, tunnel in found.items() if not (tunnel and tunnel.place and tunnel.place.file != STDIN_NAME)
        )

    async def answer(self, request: Document) -> Document:
        """See :meth:`orchestra.control.handlers.Handlers.reload`."""
        async with self._turn:
            if request.get("proposal") is None:
                refused = await self._propose(request)
                if refused is not None:
                    return refused
                if request.get("dry"):
                    return self._told(applied=False)
            elif self._proposal is None or self._proposal.number != request["proposal"]:
                return refusal("it has changed meanwhile, and nothing was done: try again")
            return await self._apply(request.get("drain", DRAIN), request.get("timeout"))

    async def _propose(self, request: Document) -> Document | None:
        """Makes the next proposal; what is wrong with it, if anything."""
        self._proposal = None
        if (wrong := self._unfit(request)) is not None:
            return refusal(wrong, code=2)
        added, removed = request.get("add") or {}, request.get("remove")
        wish = Wish(
            options=request.get("options") or self._options,
            additions={name: text for name, text in {**self._additions, **added}.items() if name != removed},
            without=removed,
            colour=bool(request.get("colour")),
            quiet=bool(request.get("quiet")),
            verbosity=int(request.get("verbosity", 0)),
        )
        reading = await asyncio.to_thread(self._read, wish)
        if reading.launch is None:
            return _unchanged(reading.said, reading.code)
        launch = reading.launch
        if (wrong := self._cannot(launch)) is not None:
            return refusal(wrong, code=2)
        hosts, before = launch.topology.hosts, self._launch
        known = {id_: Standing(self._known[id_], self._hosts[id_]) for id_ in self._engine.session_ids}
        plan = align(launch.plan, hosts, known)
        changes = compare(before.plan, before.topology.hosts, plan, hosts)
        self._count += 1
        launch = replace(launch, plan=plan)
        self._proposal = _Proposal(number=self._count, launch=launch, wish=wish, changes=changes)
        return None

    def _unfit(self, request: Document) -> str | None:
        added, removed = request.get("add") or {}, request.get("remove")
        names = {tunnel.name for tunnel in self._launch.plan.tunnels}
        if taken := sorted(names & set(added)):
            return f"a tunnel named {', '.join(taken)} runs already; remove it first, or give this one another name"
        if removed is not None and removed not in names:
            return f"no tunnel named {removed} runs: there are {', '.join(sorted(names)) or 'none'}"
        return None

    def _cannot(self, launch: Launch) -> str | None:
        """Why that cannot take the place of what runs."""
        old, new = self._launch, launch
        name = self._running.identity.name
        if new.plan.topology != old.plan.topology:
            return f"the file is named {new.plan.topology} now, and {old.plan.topology} runs: {_anew(name)}"
        if new.plan.client != old.plan.client:
            return f"here would be {new.plan.client} now, and it is {old.plan.client}: {_anew(name)}"
        if old.lab != new.lab:
            return f"it runs {_where(old)}, and is to run {_where(new)}: {_anew(name)}"
        world, world_now = ((each.topology.networks, each.topology.hosts, each.topology.targets) for each in (old, new))
        if old.lab is not None and world != world_now:
            return f"the lab runs the networks, hosts and targets that the file had: {_anew(name)}"
        return None

    async def _apply(self, drain: float | None, timeout: float | None) -> Document:
        proposal = self._proposal
        assert proposal is not None  # noqa: S101 - it has been made
        launch, changes = proposal.launch, proposal.changes
        told = self._told(applied=True)
        self._proposal, self._launch = None, launch
        self._options, self._additions = proposal.wish.options, proposal.wish.additions
        for session in launch.plan.sessions:
            self._known[session.id], self._hosts[session.id] = session, launch.topology.hosts[session.server]
        self._running.plan, self._running.topology = launch.plan, launch.topology
        self._running.tell(_event(changes))
        self._engine.change(launch.plan, self._lab or launch.topology, drain=drain)
        self._known = {id_: self._known[id_] for id_ in self._engine.session_ids}
        changed = [item.name for item in changes.items if item.what == "tunnel" and item.action in ("add", "change")]
        awaited = [name for name in changed if not launch.plan.tunnel(name).spec.optional]
        return {**told, **await self._settle(awaited, timeout)}

    async def _settle(self, names: list[str], timeout: float | None) -> Document:
        """Waits until these tunnels are what they are to be, or one of them cannot become so; why they are not."""
        late = False
        try:
            async with asyncio.timeout(timeout) as deadline:
                with self._running.prompts.holding(deadline):
                    await self._running.until(lambda _: self._is_decided(names))
        except TimeoutError:
            late = True
        return {"failures": self._failures(names), "late": late}

    def _is_decided(self, names: list[str]) -> bool:
        unready = self._unready(names)
        return not unready or any(error is not None and _stays(error) for error in unready.values())

    def _unready(self, names: list[str]) -> dict[str, ErrorStatus | None]:
        """Those that are not what they are to be, and what is wrong."""
        coming = self._engine.coming()
        status = {tunnel.name: tunnel for tunnel in self._engine.snapshot().tunnels}
        return {
            name: coming[name] if name in coming else status[name].error
            for name in names
            if name in coming or (name in status and status[name].state != "ready")
        }

    def _failures(self, names: list[str]) -> list[Document]:
        coming = self._engine.coming()
        return [
            {
                "name": name,
                "code": None if error is None else error.code,
                "message": "it is not ready" if error is None else error.message,
                "suggestion": None if error is None else error.suggestion,
                "stays": name in coming,
            }
            for name, error in self._unready(names).items()
        ]

    def _told(self, *, applied: bool) -> Document:
        from orchestra.render.changes_json import changes_json

        proposal = self._proposal
        assert proposal is not None  # noqa: S101
        launch = proposal.launch
        new = [each for each in launch.disclosures if each not in self._launch.disclosures]
        return {
            "proposal": proposal.number,
            "code": 0,
            "said": "",
            "applied": applied,
            "file": launch.topology.file,
            "changes": changes_json(proposal.changes),
            "disclosures": [asdict(each) for each in new],
            "failures": [],
            "late": False,
        }


def _stays(error: ErrorStatus) -> bool:
    """Whether waiting does not mend it; a port of our own that its server still holds is free in a moment."""
    return is_fatal(error) and (error.next_retry is None or error.next_retry > time.time() + _SOON)


def refusal(why: str, *, code: int = 1) -> Document:
    """Nothing was done, and a sentence that says why."""
    return _unchanged(f"error: {why}", code)


def _unchanged(said: str, code: int) -> Document:
    return {"proposal": None, "code": code, "said": said, "applied": False, "changes": [], "failures": []}


def _where(launch: Launch) -> str:
    return "without a lab" if launch.lab is None else f"in the lab {launch.lab}"


def _anew(name: str) -> str:
    return f"take it down with 'orchestra down {name}' and bring it up again"


def _event(changes: Changes) -> Reloaded:
    counts = changes.counts
    return Reloaded(
        added=counts.get("add", 0),
        changed=counts.get("change", 0),
        removed=counts.get("remove", 0),
        kept=counts.get("keep", 0),
        lines=tuple(
            f"{_SIGNS[item.action]} {item.what} {item.name}: {item.text}"
            for item in changes.items
            if item.action != "keep"
        ),
    )


_SIGNS = {"add": "+", "remove": "-", "change": "~"}


def concerned(plan: Plan, subject: str | None) -> tuple[list[str], list[str]]:
    """Sessions, by id, and tunnels that are meant by the name of a tunnel or of a server, or by none."""
    if subject is None:
        return [session.id for session in plan.sessions], [tunnel.name for tunnel in plan.tunnels]
    for tunnel in plan.tunnels:
        if tunnel.name == subject:
            ids = {*tunnel.sessions, *(id_ for each in tunnel.alternatives for id_ in each.sessions)}
            return [session.id for session in plan.sessions if session.id in ids], [tunnel.name]
    sessions = [session.id for session in plan.sessions if subject in (session.server, session.id)]
    return sessions, [tunnel.name for tunnel in plan.tunnels if not set(sessions).isdisjoint(tunnel.sessions)]


async def reload_and_say(running: Running) -> str:
    """Reads everything again and applies it, as a signal asks for; what there is to say that is no event."""
    answer = await running.reload({})
    said = f"{answer['said']}\nnot reloaded: nothing was changed" if answer["code"] else answer["said"]
    failures = [f"tunnel {each['name']}: {each['message']}" for each in answer["failures"]]
    return "\n".join(filter(None, (said, *failures)))
