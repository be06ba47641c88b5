"""What a plugin hands over: transports, kinds, checks, secret sources, importers and exporters. Core's own have the
same shapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from orchestra.diagnostics import KeyPath
from orchestra.errors import RuntimeFailure
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Dial, Plan, PlannedSession, PlannedTunnel
from orchestra.model.topology import NOWHERE, Host, SecretRef, Topology
from orchestra.plugin.vocabulary import CheckSpec, ExporterSpec, ImporterSpec, KindSpec, SecretSpec, TransportSpec
from orchestra.session.errors import OpenFailed
from orchestra.session.protocols import Accept, Peer, Receiver, Session, Stream

R = TypeVar("R", bound=Receiver)
T = TypeVar("T")

ReadSecret = Callable[[SecretRef], Awaitable[bytes]]
"""Reads a secret now; raises OpenFailed with SECRET_UNAVAILABLE. Values are never logged and never kept."""

Notice = Callable[[str], None]
"""Tells the user something about a host that is no failure; the text is cleaned already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that only a person can answer while a session opens. ``text`` is cleaned already.

    ``subject`` says what the answer is for (a key file, ``alice@gateway``): with ``kind`` and ``host`` it is what an
    answer is remembered by, for as long as the process runs.
    """

    kind: Literal["passphrase", "password", "response", "host-key"]
    host: str
    subject: str
    text: str
    echo: bool = False
    """Whether what is typed may be seen; ``host-key`` is answered by ``yes``, ``no`` or the right fingerprint."""
    again: bool = False
    """The last answer was wrong: it is asked anew, never answered from memory."""


Ask: TypeAlias = Callable[[Question], Awaitable[str | None]]
"""Asks a person, one question at a time; None when there is nobody to ask. Answers are never logged."""


async def nobody(_question: Question) -> str | None:
    """Where there is no person to ask."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """One session to be opened: to ``server``, by ``dial``, over ``over`` (the session before it, or *here*)."""

    server: Host
    dial: Dial
    over: Session
    depth: int
    """1 for the first hop; keepalives are tuned by it."""
    read_secret: ReadSecret
    notice: Notice
    ask: Ask = nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a server showed of itself, before anybody logged in.

    ``name`` is what its key is filed under; ``key`` its wire form; ``evidence`` says where (``file:line``) stands what
    decided; ``refusal`` is why a session would not open; ``question`` is what a person is asked of an unknown key. What
    is ``pinned`` by the topology is not filed.
    """

    name: str
    key: bytes
    algorithm: str
    fingerprint: str
    standing: Literal["known", "unknown", "changed", "revoked", "uncertified"]
    evidence: tuple[str, ...] = ()
    refusal: OpenFailed | None = None
    question: Question | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of looking at one server's host key. ``file``: where it was written; ``error``: why it is not trusted,
    or why nobody could look; ``keyless``: its transport has no host keys."""

    session: PlannedSession
    standing: Literal["known", "written", "unknown", "changed", "revoked", "uncertified", "unreachable", "keyless"]
    identity: Identity | None = None
    file: str | None = None
    error: RuntimeFailure | None = None


@runtime_checkable
class Identifying(Protocol):
    """What a transport may do besides, when its servers prove who they are by keys that people compare."""

    async def identify(self, request: OpenRequest) -> Identity:
        """Dials, looks at the server's key and leaves; nothing of ours is offered. Raises OpenFailed when the server
        showed none."""
        ...

    async def trust(self, request: OpenRequest, identity: Identity) -> str:
        """Keeps the key that was shown, so that :meth:`Transport.open` knows it; returns the file that has it now.
        Raises OpenFailed."""
        ...


class Transport(Protocol):
    """Opens sessions: the one thing that a transport must do. See also :class:`Identifying`."""

    @property
    def spec(self) -> TransportSpec: ...

    async def open(self, request: OpenRequest) -> Session:
        """Opens it, authenticated in both directions. Raises :class:`~orchestra.session.errors.OpenFailed`;
        cancelled, it leaves nothing open. It sets its own deadlines (``connect_timeout``)."""
        ...


class TunnelContext(Protocol):
    """What a kind or a check may do with the tunnel that it serves. The path may change between two dials."""

    @property
    def tunnel(self) -> PlannedTunnel: ...

    async def dial(self, make: Callable[[], R], host: str | None = None, port: int | None = None) -> tuple[Stream, R]:
        """Dials from the exit, the tunnel's own target when no host is given, with the tunnel's deadline and its cap
        on pending dials. Raises DialRefused or SessionLost."""
        ...

    async def exit(self) -> Session:
        """The exit's session, waiting for it up to the tunnel's ``hold``; raises SessionLost."""
        ...

    async def entry(self) -> Session:
        """The session at which the tunnel listens, for what a kind opens beside the listener; raises SessionLost."""
        ...

    async def relay(self, host: str | None = None, port: int | None = None) -> Receiver:
        """Dials as :meth:`dial` does and returns what the accepted connection is to be received by: everything is
        then carried both ways, with half-close, back-pressure, counters and truthful endings."""
        ...

    def carry(self) -> Callable[[], None]:
        """Begins a conversation of the kind's own, one that is no relay: the sessions that it may be over are kept when
        they are replaced, until it ends, which is said by calling what this returns, once."""
        ...

    def shared(self, make: Callable[[], T]) -> T:
        """What all tunnels of this orchestra share: made, by a class as a rule, when the first of them asks for it."""
        ...

    @property
    def read_secret(self) -> ReadSecret:
        """Reads a secret that is among the fields of the kind or the check, when it is needed."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """The tunnel as environment variables, as ``orchestra env`` has them; none until it listens."""
        ...

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        """Adds to the tunnel's counters."""
        ...

    def tally(self, name: str, by: int = 1) -> None:
        """Adds to a counter of the kind's own, which is made by its first use and shown with the tunnel's status and
        its metrics: ``flows`` (what is open now goes up and down), ``datagrams_in``, ``dropped_queue``."""
        ...

    def failed(self, peer: Peer, error: Exception) -> RuntimeFailure:
        """Tells the observers that a connection which was accepted already cannot be carried, and returns why: the
        error itself, or what a foreign one amounts to."""
        ...


class Kind(Protocol):
    """What a listener does with what it accepts."""

    @property
    def spec(self) -> KindSpec: ...

    def serve(self, context: TunnelContext) -> Accept:
        """The listener's accept: called for each connection, before it is confirmed."""
        ...


class Entrance(Protocol):
    """What a kind opened by itself: the addresses that people use, the port (0: none), and what is to be said."""

    @property
    def addresses(self) -> tuple[str, ...]: ...
    @property
    def port(self) -> int: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def close(self) -> None:
        """Stops accepting and ends what it carries; whatever it opened is gone soon after."""
        ...


@runtime_checkable
class Binding(Protocol):
    """What a kind does instead of ``serve`` when its entrance is no listener of streams (a UDP socket)."""

    @property
    def spec(self) -> KindSpec: ...

    async def bind(self, context: TunnelContext, session: Session, port: int) -> Entrance:
        """Opens the entrance that ``context.tunnel.listen`` plans, at ``session``. ``port`` is asked for first where
        any will do (0: none was given before). Raises BindRefused, SessionLost or Unsupported; then, and when it is
        cancelled, nothing of it is left open. Relays to come use ``context.exit()``, which follows the path."""
        ...


class Check(Protocol):
    """Proves that a tunnel carries traffic: one conversation with its target through the whole chain."""

    @property
    def spec(self) -> CheckSpec: ...

    async def run(self, context: TunnelContext) -> None:
        """Returns when the target answered as it should. Raises RuntimeFailure (CHECK_FAILED, DIAL_FAILED …)."""
        ...


class SecretSource(Protocol):
    """Reads secrets of one kind."""

    @property
    def spec(self) -> SecretSpec: ...

    async def read(self, ref: SecretRef) -> bytes:
        """The secret, without a trailing line break. Raises OpenFailed with SECRET_UNAVAILABLE."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A foreign text. ``name`` says where it comes from, for messages (``~/.ssh/config``, ``<stdin>``, ``<command>``);
    ``options`` are the importer's own fields, as ``--set`` gave them and its model made them."""

    text: str
    name: str
    options: Mapping[str, Any] = field(default_factory=lambda: NOWHERE)
    environ: Mapping[str, str] = field(default_factory=lambda: NOWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A topology as its file would have it: maps, lists, text, numbers, yes and no. ``notes`` become comments: key path
    to lines that stand above that key; those of ``()`` stand above everything."""

    document: Mapping[str, Any]
    notes: Mapping[KeyPath, tuple[str, ...]] = field(default_factory=lambda: NOWHERE)


class Importer(Protocol):
    """Reads a foreign format."""

    @property
    def spec(self) -> ImporterSpec: ...

    def read(self, request: ImportRequest) -> Imported:
        """What the text says, as a topology that loads; what cannot be taken over is said in a note. Raises
        TopologyInvalid, whose places may lie in the text, or UsageError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """A plan, the topology that it was made from (with what ssh_config adds), and the exporter's own fields."""

    plan: Plan
    topology: Topology
    options: Mapping[str, Any] = field(default_factory=lambda: NOWHERE)


class Exporter(Protocol):
    """Writes a foreign format."""

    @property
    def spec(self) -> ExporterSpec: ...

    def write(self, request: ExportRequest) -> str:
        """The plan in that format; what it cannot say is said in a comment of the format. Raises UsageError."""
        ...
