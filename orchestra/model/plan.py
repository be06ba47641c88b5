"""The planner's answer: which sessions, listeners and dials make the tunnels true, and why.

A plan is a frozen value: the engine performs it, the renderer prints it, and the same topology gives the same plan
whatever the order of its keys. The JSON form is fixed by ``docs/plan-document.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.diagnostics import Diagnostic, Place
    from orchestra.model.address import UnixPath
    from orchestra.model.topology import Tunnel

Verdict: TypeAlias = Literal["reachable", "unreachable", "elsewhere"]
Direction: TypeAlias = Literal["direct", "local", "remote", "bridge"]
Setting: TypeAlias = Literal[
    "rules", "inbound", "local", "remote", "unix", "permit_open", "permit_listen", "gateway_ports"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a dial passes or does not: one sentence, whether it passes, and the line of the file that decides."""

    text: str
    passes: bool = True
    place: Place | None = None
    hint: bool = False
    """It decides nothing: a rule that comes near the one that would be needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One act of connecting: *who* dials *which address*, and which host that address means *to the one who dials*.

    ``host`` is sent byte for byte (IPv6 without brackets) and is None only when ``path``, a Unix socket at the
    dialer, or ``transport``, one that is not dialed, takes its place. ``means`` is a host of the topology; None when
    the file declares nobody there, which is assumed to exist.
    """

    by: str
    host: str | None = None
    port: int | None = None
    means: str | None = None
    path: str | None = None
    transport: str | None = None
    text: str | None = None
    """With ``transport``: what is shown in place of an address."""
    reasons: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        if self.transport is not None:
            return f"{self.transport} {self.text or ''}".strip()
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in (self.host or "") else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Origin:
    """A setting of a server that ssh_config decided: what it is, and the ``file:line`` that says so."""

    setting: str
    value: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    """One session to be opened by ``dial``, through the session ``via`` (None: from here)."""

    id: str
    server: str
    via: str | None
    dial: Dial
    depth: int
    """Sessions below it: 1 for one that is dialed from here."""
    origins: tuple[Origin, ...] = ()
    """What the topology leaves to ssh_config, by name of the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A socket to listen on. ``host`` is a literal, ``*`` (every address), or, in a request to a server, a name.

    ``port`` 0 is any free port, the same for all binds of one listener.
    """

    host: str
    port: int

    def __str__(self) -> str:
        port = "auto" if self.port == 0 else str(self.port)
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenProbe:
    """An address at which a remote listener is dialed from its own server, and what must be found there.

    ``any``: the file allows both (``gateway_ports: yes``), what is found is reported.
    """

    host: str
    expect: Literal["open", "closed", "any"]
    network: str | None = None
    """The network that the address is on; None for loopback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedListen:
    """Where a tunnel is entered.

    ``binds`` are the sockets that must exist afterwards. ``requests`` is what is asked for, one socket or one remote
    forward each: at *here* the same as ``binds``; at a server the text that is sent to sshd, where one request for
    ``localhost`` makes two binds and ``*`` is sent as the empty string.
    """

    at: str
    session: str | None
    """None: here."""
    binds: tuple[Bind, ...] = ()
    requests: tuple[Bind, ...] = ()
    unix: UnixPath | None = None
    removable: bool = False
    """At a server that runs commands: a socket of ours that is left at ``unix`` may be removed by one."""
    chosen: bool = False
    """The file left the address out, or asked for any port."""
    exposed: bool = False
    """Beyond loopback."""
    probes: tuple[ListenProbe, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """As people write them: ``127.0.0.1:5920``, ``[::1]:5920``, ``*:5920``, ``unix:/path``."""
        if self.unix is not None:
            return (str(self.unix),)
        return tuple(str(bind) for bind in self.binds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One permission that would have to exist, concrete enough to be written down.

    ``from_`` and ``to`` name hosts; ``from_`` a network, when it is one unnamed host of it. ``setting`` is the key of
    the file that would have to say so: the ``rules`` or ``inbound`` of a firewall, or what is below a server's
    ``forwarding``.
    """

    kind: Literal["firewall", "sshd"]
    at: str
    from_: str
    to: str | None
    address: str | None
    port: int | None
    protocol: str
    setting: Setting = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another path that would do."""

    path: tuple[str, ...]
    sessions: tuple[str, ...] = ()
    """Ids, when these sessions are part of the plan."""
    cost: int = 0
    exit: str | None = None
    """The session at its end, when it is part of the plan (None: here)."""
    dial: Dial | None = None
    """What is dialed there; None for a kind without one target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTunnel:
    """One tunnel: entered at ``listen``, left by ``dial``.

    ``entry`` and ``exit`` are the sessions at its ends (None: here). ``path`` names hosts in the order of flow, entry
    to exit. An unreachable tunnel has the blocked path, as ``blocked`` (complete, denied dials included) and
    ``missing`` (empty when no permission would open it), and its diagnostics stand in the plan.
    """

    name: str
    kind: str
    verdict: Verdict
    spec: Tunnel
    protocol: str = "tcp"
    held_by: str | None = None
    listen: PlannedListen | None = None
    direction: Direction | None = None
    path: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    """Ids of every session that it needs, parents first."""
    entry: str | None = None
    exit: str | None = None
    dial: Dial | None = None
    user: Dial | None = None
    """How ``from`` reaches the listener, when it is not on the listening host itself."""
    alternatives: tuple[Alternative, ...] = ()
    blocked: tuple[Dial, ...] = ()
    missing: tuple[Missing, ...] = ()
    instead: tuple[str, ...] = ()
    """Ways that need no change of any firewall or server, in a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All sessions (parents first), all tunnels (by name), and everything there is to say about them."""

    topology: str
    client: str
    sessions: tuple[PlannedSession, ...] = ()
    tunnels: tuple[PlannedTunnel, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def session(self, id_: str) -> PlannedSession:
        """The session of that id; KeyError when there is none."""
        for session in self.sessions:
            if session.id == id_:
                return session
        raise KeyError(id_)

    def tunnel(self, name: str) -> PlannedTunnel:
        """The tunnel of that name; KeyError when there is none."""
        for tunnel in self.tunnels:
            if tunnel.name == name:
                return tunnel
        raise KeyError(name)
