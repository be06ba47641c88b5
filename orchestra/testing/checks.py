"""What every health check has to do, as rules that any implementation is run through, against targets in memory and in
virtual time::

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_mine(rule):
        hold(rule, Subject(MyCheck(), lambda: Script(b"220 ready\\r\\n", after(b"QUIT\\r\\n", b"221 bye\\r\\n"))))
"""

# ruff: noqa: S101 - rules are assertions

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Any, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Dial, PlannedTunnel
from orchestra.model.topology import NOWHERE, CheckRef, SecretRef, Tunnel
from orchestra.plugin.interfaces import Check, TunnelContext
from orchestra.session.errors import DialRefused
from orchestra.session.protocols import Peer, Receiver, Session, Stream
from orchestra.testing.clock import run_virtual
from orchestra.testing.memory import MemoryNetwork
from orchestra.testing.targets import Cut, Endless, HangsUp, Paced, Resets, Script

R = TypeVar("R", bound=Receiver)
T = TypeVar("T")

HOST, PORT = "desk", 4000
DIAL_TIMEOUT = 10.0
DEADLINE = 30.0
"""Virtual seconds that a check may take, whatever its target does."""
TIMEOUT = 3.0
"""Virtual seconds that the file gives, where it gives any."""
BOUND = 2 * 1024 * 1024
"""Bytes that a check may hold of what a target sends without end."""
GARBAGE = b"\x1b[2J\x07\x00\xff\xfe\x9b31m \xe2\x80\xae?" + bytes(range(128, 256)) + b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Subject:
    """A check, and a target that answers as it should.

    ``options`` are its fields, as a file's would arrive; ``secrets`` what their references stand for. ``listens``: it
    waits for an answer, so that a target that gives a wrong one fails it.
    """

    check: Check
    target: Callable[[], Receiver]
    options: Mapping[str, Any] = field(default_factory=lambda: NOWHERE)
    secrets: Mapping[SecretRef, bytes] = field(default_factory=lambda: NOWHERE)
    listens: bool = True


class Dialing:
    """A tunnel that is dialed from one session, as its check sees it."""

    def __init__(
        self,
        exit_: Session,
        check: CheckRef,
        secrets: Mapping[SecretRef, bytes] = NOWHERE,
        *,
        host: str = HOST,
        port: int = PORT,
    ) -> None:
        spec = Tunnel(name="desk", to=HOST, dial_timeout=DIAL_TIMEOUT, check=check)
        dial = Dial(by=exit_.host, host=host, port=port, means=HOST)
        self.tunnel = PlannedTunnel(name="desk", kind="tcp", verdict="reachable", spec=spec, dial=dial)
        self._common: dict[Any, Any] = {}
        self._exit, self._secrets, self._host, self._port = exit_, secrets, host, port
        self.variables: Mapping[str, str] = {"ORCHESTRA_DESK_HOST": "127.0.0.1", "ORCHESTRA_DESK_PORT": str(port)}

    async def exit(self) -> Session:
        return self._exit

    async def entry(self) -> Session:
        raise NotImplementedError("checks listen nowhere")

    async def dial(self, make: Callable[[], R], host: str | None = None, port: int | None = None) -> tuple[Stream, R]:
        try:
            async with asyncio.timeout(self.tunnel.spec.dial_timeout):
                return await self._exit.create_connection(make, host or self._host, port or self._port)
        except TimeoutError:
            raise DialRefused(Code.CONNECT_TIMEOUT, f"{self._exit.host} dialed {self.tunnel.dial}: no answer") from None

    async def read_secret(self, ref: SecretRef) -> bytes:
        return self._secrets[ref]

    async def relay(self, host: str | None = None, port: int | None = None) -> Receiver:
        raise NotImplementedError("checks carry nothing")

    def carry(self) -> Callable[[], None]:
        return lambda: None

    def shared(self, make: Callable[[], T]) -> T:
        if make not in self._common:
            self._common[make] = make()
        made: T = self._common[make]
        return made

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        """Nobody looks at it."""

    def tally(self, name: str, by: int = 1) -> None:
        """Nobody looks at it."""

    def failed(self, peer: Peer, error: Exception) -> RuntimeFailure:
        raise NotImplementedError("checks accept nothing")


async def run_check(
    subject: Subject, target: Callable[[], Receiver] | None, *, timeout: float | None = None, hole: bool = False
) -> tuple[RuntimeFailure | None, float]:
    """What the check says of a target, and after how many seconds; nothing may be left open on either side.

    No target: the dial is refused, or, of a black ``hole``, never answered.
    """
    network = MemoryNetwork()
    gateway, desk = network.place("gateway"), network.place(HOST)
    if hole:
        network.black_holes.add((HOST, PORT))

    async def accept(_peer: Peer) -> Receiver:
        assert target is not None
        return target()

    if target is not None:
        await desk.create_server(accept, "*", PORT)
    check = CheckRef(type=subject.check.spec.name, timeout=timeout, options=subject.options)
    context: TunnelContext = Dialing(gateway, check, subject.secrets)
    before, said = asyncio.all_tasks(), None
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(DEADLINE):
            await subject.check.run(context)
    except RuntimeFailure as failure:
        said = failure
    finally:
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(0.1)
        assert not gateway.streams, "its connection is left open"
        assert asyncio.all_tasks() <= before, "tasks are left"
    assert said is None or str(said).isprintable(), f"this could move a cursor: {said!r}"
    return said, took


async def _fails(subject: Subject, target: Callable[[], Receiver], **options: Any) -> float:
    """It is proven by no such target; returns after how many seconds it said so."""
    failure, took = await run_check(subject, target, **options)
    if subject.listens:
        assert failure is not None, "it was content with that"
        assert failure.code is Code.CHECK_FAILED, failure.code
    return took


Rule: TypeAlias = Callable[[Subject], Awaitable[None]]


def hold(rule: Rule, subject: Subject) -> None:
    """Runs one rule, in virtual time."""

    async def held() -> None:
        await rule(subject)

    run_virtual(held())


async def a_good_target_passes(subject: Subject) -> None:
    failure, took = await run_check(subject, subject.target)
    assert failure is None, failure
    assert took <= 5, "it does not hang up when it knows enough"


async def a_slow_target_passes(subject: Subject) -> None:
    failure, _ = await run_check(subject, lambda: Paced(subject.target(), delay=0.5))
    assert failure is None, failure


async def answers_may_come_byte_by_byte(subject: Subject) -> None:
    failure, _ = await run_check(subject, lambda: Paced(subject.target(), delay=0.001, size=1))
    assert failure is None, failure


async def silence_is_not_waited_for_without_end(subject: Subject) -> None:
    await _fails(subject, Script)


async def the_timeout_of_the_file_is_kept(subject: Subject) -> None:
    assert await _fails(subject, Script, timeout=TIMEOUT) <= TIMEOUT + 0.01


async def the_timeout_covers_the_dial(subject: Subject) -> None:
    failure, took = await run_check(subject, None, hole=True, timeout=TIMEOUT)
    assert failure is not None
    assert took <= TIMEOUT + 0.01


async def half_an_answer_is_none(subject: Subject) -> None:
    if subject.listens:
        failure, _ = await run_check(subject, lambda: Cut(subject.target()))
        assert failure is not None, "it was content with the first byte"


async def hanging_up_is_noticed_at_once(subject: Subject) -> None:
    assert await _fails(subject, HangsUp) < 1


async def a_reset_is_noticed_at_once(subject: Subject) -> None:
    assert await _fails(subject, Resets) < 1


async def garbage_is_said_so_that_it_does_no_harm(subject: Subject) -> None:
    await _fails(subject, lambda: Script(GARBAGE))


async def tls_is_no_answer_to_those_who_do_not_speak_it(subject: Subject) -> None:
    await _fails(subject, lambda: Script(bytes.fromhex("15030300020246")))


async def a_target_that_never_ends_its_line_is_left(subject: Subject) -> None:
    await _bounded(subject, bytes(65536).replace(b"\0", b"x"))


async def a_target_that_never_ends_is_left(subject: Subject) -> None:
    await _bounded(subject, b"what you asked for comes later\r\n" * 2048)


async def a_refused_dial_stays_what_it_is(subject: Subject) -> None:
    failure, _ = await run_check(subject, None)
    assert isinstance(failure, DialRefused)
    assert failure.code is Code.CONNECT_REFUSED


async def a_check_that_is_cancelled_leaves_nothing(subject: Subject) -> None:
    for seconds in (0.0, 0.2, 1.0):
        running = asyncio.create_task(run_check(subject, Script))
        await asyncio.sleep(seconds)
        running.cancel()
        (ended,) = await asyncio.gather(running, return_exceptions=True)
        assert not isinstance(ended, AssertionError), ended


async def _bounded(subject: Subject, chunk: bytes) -> None:
    tracemalloc.start()
    try:
        await _fails(subject, lambda: Endless(chunk))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BOUND, f"it holds {peak} bytes"


RULES: tuple[Rule, ...] = (
    a_good_target_passes,
    a_slow_target_passes,
    answers_may_come_byte_by_byte,
    silence_is_not_waited_for_without_end,
    the_timeout_of_the_file_is_kept,
    the_timeout_covers_the_dial,
    half_an_answer_is_none,
    hanging_up_is_noticed_at_once,
    a_reset_is_noticed_at_once,
    garbage_is_said_so_that_it_does_no_harm,
    tls_is_no_answer_to_those_who_do_not_speak_it,
    a_target_that_never_ends_its_line_is_left,
    a_target_that_never_ends_is_left,
    a_refused_dial_stays_what_it_is,
    a_check_that_is_cancelled_leaves_nothing,
)
