"""The plan as ladders: for every tunnel who dials which address, and whom it means there.

::

    ✔ desk · laptop → desk-vnc · local
        listen  laptop   127.0.0.1:5920, [::1]:5920
        ssh     laptop   dials 198.51.100.1:2222 = gateway  edge publishes gateway:22 (office.yaml:21)
        dial    gateway  dials 10.20.0.30:5900 = desk-vnc

Sessions that several tunnels share stand at the top, as a tree.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from orchestra.model.address import Endpoint
from orchestra.model.text import clean
from orchestra.render.layout import EMPTY, Cell, Row, Span, cell, counted, joined, line_of, table
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orchestra.model.plan import (
        Dial,
        Missing,
        Plan,
        PlannedListen,
        PlannedSession,
        PlannedTunnel,
        Reason,
        Setting,
        Verdict,
    )

_MARKS: Mapping[Verdict, Span] = {"reachable": ("good", "✔"), "unreachable": ("bad", "✘"), "elsewhere": ("quiet", "○")}
PASSED: Span = ("good", "✔")
DENIED: Span = ("bad", "✘")
_INDENT = "    "
_INLINE = 60
_KEYWORDS: Mapping[Setting, str] = {
    "local": "AllowTcpForwarding",
    "remote": "AllowTcpForwarding",
    "unix": "AllowStreamLocalForwarding",
    "gateway_ports": "GatewayPorts",
    "permit_open": "PermitOpen",
    "permit_listen": "PermitListen",
}
"""What sshd_config(5) calls the settings of a server's ``forwarding``."""
_NAMED = 6


def plan_text(plan: Plan, style: Style = PLAIN, *, origins: bool = False) -> str:
    """The whole plan: shared sessions, one ladder per tunnel, and the totals.

    ``origins``: also what the servers have from ssh_config, and from which line of it.
    """
    sessions = {session.id: session for session in plan.sessions}
    shared = _shared(plan)
    blocks = [_tree(plan, shared, style)] if shared else []
    for tunnel in plan.tunnels:
        match tunnel.verdict:
            case "reachable":
                rows = _open_steps(tunnel, plan.client, sessions, shared)
            case "unreachable":
                rows = _blocked_steps(tunnel)
            case _:
                rows = _elsewhere_steps(tunnel)
        steps = table(list(rows), style, indent=_INDENT)
        more = table(list(_ways_out(tunnel)), style, indent=_INDENT)
        blocks.append("\n".join([_heading(tunnel, plan.client, style), *steps, *more]))
    if origins and (settings := list(_origins(plan))):
        blocks.append("\n".join([style("name", "from ssh_config"), *table(settings, style, indent=_INDENT)]))
    return "\n\n".join([*blocks, totals(plan, style)])


def totals(plan: Plan, style: Style = PLAIN) -> str:
    """``3 tunnels over 2 sessions, 1 more for failover; 1 unreachable``."""
    verdicts = Counter(tunnel.verdict for tunnel in plan.tunnels)
    used = {id_ for tunnel in plan.tunnels for id_ in tunnel.sessions}
    spare = sum(session.id not in used for session in plan.sessions)
    text = counted(len(plan.tunnels), "tunnel")
    if used:
        text += f" over {counted(len(used), 'session')}"
    if spare:
        text += f", {spare} more for failover"
    notes: tuple[tuple[Verdict, Role], ...] = (("unreachable", "bad"), ("elsewhere", "quiet"))
    parts = [style(role, f"{verdicts[verdict]} {verdict}") for verdict, role in notes if verdicts[verdict]]
    return "; ".join(filter(None, (text, ", ".join(parts))))


# -- sessions ---------------------------------------------------------------------------------------------------------


def _shared(plan: Plan) -> dict[str, list[str]]:
    """Ids of the sessions that more than one tunnel needs, and the names of those tunnels."""
    users: dict[str, list[str]] = {}
    for tunnel in plan.tunnels:
        for id_ in tunnel.sessions if tunnel.verdict == "reachable" else ():
            users.setdefault(id_, []).append(tunnel.name)
    return {id_: names for id_, names in users.items() if len(names) > 1}


def _tree(plan: Plan, shared: Mapping[str, list[str]], style: Style) -> str:
    children: dict[str | None, list[PlannedSession]] = {}
    for session in plan.sessions:
        if session.id in shared:
            children.setdefault(session.via, []).append(session)
    rows = list(_branches(children, shared, None, ""))
    return "\n".join([style("name", "shared sessions"), *table(rows, style, indent=_INDENT)])


def _branches(
    children: Mapping[str | None, list[PlannedSession]], shared: Mapping[str, list[str]], via: str | None, stem: str
) -> Iterator[Row]:
    """Depth first; the stem holds the lines of those above that go on below."""
    for session in children.get(via, []):
        last = session is children[via][-1]
        twig, below = ("", "") if via is None else ("└─ ", "   ") if last else ("├─ ", "│  ")
        name: Cell = (("quiet", stem + twig), ("name", clean(session.id)))
        names = shared[session.id]
        users = joined(names) if len(names) <= _NAMED else counted(len(names), "tunnel")
        yield name, cell(session.dial.by), (*dial_address(session.dial), ("quiet", f"  for {users}"))
        trunk = stem + below + ("│" if children.get(session.id) else "")
        yield from ((cell(trunk, "quiet"), EMPTY, _reason(reason)) for reason in session.dial.reasons)
        yield from _branches(children, shared, session.id, stem + below)


def _origins(plan: Plan) -> Iterator[Row]:
    for server, found in {session.server: session.origins for session in plan.sessions}.items():
        for index, each in enumerate(found):
            name = EMPTY if index else cell(server, "name")
            yield name, cell(each.setting), cell(each.value), cell(each.where, "quiet")


# -- tunnels ----------------------------------------------------------------------------------------------------------


def _heading(tunnel: PlannedTunnel, client: str, style: Style) -> str:
    role, mark = _MARKS[tunnel.verdict]
    spec = tunnel.spec
    start = spec.from_ or (tunnel.path[0] if tunnel.path else tunnel.held_by or client)
    end = spec.to or (tunnel.path[-1] if tunnel.path else spec.exit or "?")
    facts = [
        f"{clean(start)} → {clean(end)}",
        *([clean(tunnel.kind)] if tunnel.kind != "tcp" else []),
        tunnel.direction or "" if tunnel.verdict == "reachable" else tunnel.verdict,
        f"held by {clean(tunnel.held_by)}, not opened here" if tunnel.held_by and tunnel.verdict == "elsewhere" else "",
        "optional" if spec.optional else "",
    ]
    return f"{style(role or 'name', mark)} {style('name', clean(tunnel.name))} · {' · '.join(filter(None, facts))}"


def _open_steps(
    tunnel: PlannedTunnel, client: str, sessions: Mapping[str, PlannedSession], shared: Collection[str]
) -> Iterator[Row]:
    if tunnel.user is not None:
        yield from _rows((cell("use"), cell(tunnel.user.by)), tunnel.user)
    if tunnel.listen is not None:
        yield _listen(tunnel.listen)
    for id_ in tunnel.sessions:
        dial = sessions[id_].dial
        yield from _rows((cell("ssh"), cell(dial.by)), dial, explained=id_ not in shared)
    if tunnel.dial is None:
        exit_ = client if tunnel.exit is None else sessions[tunnel.exit].server
        yield cell("dial"), cell(exit_), cell("dials what each connection asks for")
    else:
        yield from _rows((cell("dial"), cell(tunnel.dial.by)), tunnel.dial)
    yield from _helpers(tunnel, sessions)
    if tunnel.direction == "direct":
        yield EMPTY, EMPTY, cell("⚠ unprotected: no SSH session carries it", "warn")
    for alternative in tunnel.alternatives:
        way = cell(" → ".join(alternative.path))
        yield cell("or"), EMPTY, (*way, ("quiet", "  when this one is down")) if alternative.sessions else way


def _helpers(tunnel: PlannedTunnel, sessions: Mapping[str, PlannedSession]) -> Iterator[Row]:
    """What carries datagrams where SSH does not."""
    ends = (tunnel.entry, tunnel.exit) if tunnel.protocol == "udp" else ()
    for server in dict.fromkeys(sessions[id_].server for id_ in ends if id_ is not None):
        what = "carries UDP by a helper, which needs python3 or perl there"
        yield cell("run"), cell(server), (*cell(what), ("quiet", "  AllowTcpForwarding and PermitOpen do not bind it"))


def _blocked_steps(tunnel: PlannedTunnel) -> Iterator[Row]:
    if tunnel.listen is not None:
        _, host, addresses = _listen(tunnel.listen)
        yield EMPTY, host, ((None, "listens on "), *addresses)
    for dial in tunnel.blocked:
        passes = all(reason.passes for reason in dial.reasons)
        yield (PASSED if passes else DENIED,), cell(dial.by), dial_address(dial)
        yield from ((EMPTY, EMPTY, _reason(reason)) for reason in dial.reasons if not reason.passes)


def _ways_out(tunnel: PlannedTunnel) -> Iterator[Row]:
    """Of a blocked tunnel: what needs no change, then what would have to change."""
    for title, texts in (
        ("without any change:", tunnel.instead),
        ("what would have to change:", tuple(map(missing_text, tunnel.missing))),
    ):
        if texts:
            yield (cell(title, "quiet"),)
            yield from ((((None, "  "), *cell(text)),) for text in texts)


def _elsewhere_steps(tunnel: PlannedTunnel) -> Iterator[Row]:
    if tunnel.listen is not None:
        yield _listen(tunnel.listen)


# -- steps ------------------------------------------------------------------------------------------------------------


def _listen(listen: PlannedListen) -> tuple[Cell, Cell, Cell]:
    any_port = any(bind.port == 0 for bind in listen.binds)
    notes: list[Span] = [("quiet", "  any free port")] if any_port else []
    if listen.exposed:
        notes.append(("warn", "  ⚠ exposed beyond loopback"))
    return cell("listen"), cell(listen.at), (("address", joined(listen.addresses)), *notes)


def _rows(head: tuple[Cell, Cell], dial: Dial, *, explained: bool = True) -> Iterator[Row]:
    """A dial and why it passes: beside it when that is short, else below."""
    reasons = dial.reasons if explained else ()
    if len(reasons) == 1 and len(reasons[0].text) <= _INLINE:
        yield *head, (*dial_address(dial), (None, "  "), *_reason(reasons[0]))
        return
    yield *head, dial_address(dial)
    yield from ((EMPTY, EMPTY, _reason(reason)) for reason in reasons)


def dial_address(dial: Dial) -> Cell:
    """``dials 10.20.0.30:5900 = desk-vnc``: the address, and whom it means to the one who dials."""
    verb = "opens " if dial.transport is not None else "dials "
    address: tuple[Span, ...] = ((None, verb), ("address", clean(str(dial))))
    if dial.means is None:
        return (*address, ("warn", " = ? (not declared)"))
    return (*address, (None, " = "), ("name", clean(dial.means)))


def _reason(reason: Reason) -> Cell:
    where = f" ({line_of(reason.place)})" if reason.place else ""
    if reason.hint:
        return (("quiet", f"  {clean(reason.text)}{where}"),)
    if reason.passes:
        role: Role = "warn" if reason.text.startswith("assumed") else "quiet"
        return ((role, f"{clean(reason.text)}{where}"),)
    return (DENIED, (None, f" {clean(reason.text)}"), ("quiet", where))


def missing_text(missing: Missing) -> str:
    """``edge would have to pass laptop → 10.20.0.2:22 = gateway, tcp``."""
    address = missing.address or missing.to or "any address"
    where = Endpoint(address, missing.port)
    if missing.kind == "firewall":
        named = f" = {missing.to}" if missing.to and missing.to != address else ""
        return f"{missing.at} would have to pass {missing.from_} → {where}{named}, {missing.protocol}"
    act = "dialing" if missing.to else "listening on"
    return f"the sshd of {missing.at} would have to permit {act} {where} ({_KEYWORDS[missing.setting]})"
