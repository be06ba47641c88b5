"""Plugins that misbehave while an engine runs: each fails alone and by name, and the tunnel beside it carries on.

In virtual time, where the deadlines of awaited hooks pass at once. What plugins may do wrong before that is in
tests/plugin/test_hookspecs.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.fences import SECRET_DEADLINE
from orchestra.engine.work import BIND_DEADLINE, OPEN_DEADLINE
from orchestra.model.events import ConnectionFailed
from orchestra.plugin import hookimpl
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, SecretSpec, TransportSpec
from orchestra.session.errors import DialRefused
from orchestra.testing import Collector, MemorySession, run_virtual
from orchestra.testing.workbench import Workbench

TEXT = """
servers: {{gateway: gateway.example{server}}}
targets: {{desk: "desk.example:5900", sound: "sound.example:80"}}
tunnels:
  sound: {{listen: "127.0.0.1:6000", exit: gateway}}
  desk: {{listen: "127.0.0.1:5920", exit: {via}{tunnel}}}
"""
CANARY = "hunter2-canary"


class Odd(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


async def hangs(*_: object) -> Any:
    await asyncio.get_running_loop().create_future()


async def raises(*_: object) -> Any:
    raise LookupError("no\x1b[2J luck")


async def raises_oddly(*_: object) -> Any:
    raise Odd


async def times_out(*_: object) -> Any:
    raise TimeoutError


async def returns_nonsense(*_: object) -> Any:
    return 42


def is_not_awaitable(*_: object) -> Any:
    return 42


FAULTS: dict[Callable[..., Any], str] = {
    raises: "failed: LookupError: no·[2J luck",
    raises_oddly: "failed: Odd",
    times_out: "failed: TimeoutError",
    is_not_awaitable: "failed: TypeError: object int can't be used in 'await' expression",
}


def seconds(deadline: float) -> str:
    return f"did not come to an end within {deadline:g} seconds"


class Faulty:
    """A plugin with one thing of each sort that does as it is told."""

    def __init__(self, **does: Callable[..., Any]) -> None:
        self.does = does

    def part(self, spec: object, *methods: str) -> Any:
        return type("Part", (), {"spec": spec} | {name: staticmethod(self.does.get(name, hangs)) for name in methods})()

    @hookimpl
    def orchestra_transports(self) -> list[Any]:
        return [self.part(TransportSpec(name="faulty"), "open")]

    @hookimpl
    def orchestra_kinds(self) -> list[Any]:
        methods = ("bind",) if "bind" in self.does else ("serve",)
        return [self.part(KindSpec(name="faulty"), *methods)]

    @hookimpl
    def orchestra_checks(self) -> list[Any]:
        return [self.part(CheckSpec(name="faulty", kinds=("tcp", "faulty")), "run")]

    @hookimpl
    def orchestra_secrets(self) -> list[Any]:
        return [self.part(SecretSpec(name="faulty"), "read")]


def tried(test: Callable[[Workbench], Awaitable[None]], *, server: str = "", tunnel: str = "", **does: Any) -> None:
    """Runs the test beside a tunnel that has to carry on, whatever the plugin does."""

    async def main() -> None:
        via = "odd" if server else "gateway"
        bench = Workbench(
            TEXT.format(server=f", odd: {server}" if server else "", tunnel=tunnel, via=via), Faulty(**does)
        )
        async with bench.running():
            await bench.until("sound", "ready")
            await test(bench)
            client = await bench.connect("sound")
            await client.send(b"still here")
            assert await (await bench.reached("sound")).receive(10) == b"still here"

    run_virtual(main())


async def failure(bench: Workbench) -> str:
    """What the tunnel says after its first fault, which has to be called a plugin's."""
    await bench.until_true(lambda: bench.status("desk").error is not None)
    error = bench.status("desk").error
    assert error is not None
    assert error.code == Code.PLUGIN_FAILED
    return error.message


@pytest.mark.parametrize(
    ("fault", "why"),
    [*FAULTS.items(), (hangs, seconds(OPEN_DEADLINE)), (returns_nonsense, "returned 42, which has no 'state'")],
)
def test_transport_open(fault: Callable[..., Any], why: str) -> None:
    async def test(bench: Workbench) -> None:
        assert await failure(bench) == f"waits for odd: transport faulty {why}"

    tried(test, server="{ssh: odd.example, transport: faulty}", open=fault)


@pytest.mark.parametrize(
    ("method", "why"),
    [
        ("create_connection", "the session to odd failed: LookupError: no·[2J luck"),
        ("wait_closed", "the session to odd was lost: no·[2J luck"),
    ],
)
def test_a_session_of_a_transport(method: str, why: str) -> None:
    opened: list[MemorySession] = []

    async def open_(request: Any) -> MemorySession:
        session = request.over.network.place("odd", over=request.over)
        setattr(session, method, raises)
        opened.append(session)
        return session  # type: ignore[no-any-return]

    async def test(bench: Workbench) -> None:
        await bench.until_true(lambda: bench.status("desk").error is not None)
        assert why in bench.status("desk").error.message  # type: ignore[union-attr]
        for session in opened:
            session.abort()

    tried(test, server="{ssh: odd.example, transport: faulty}", open=open_)


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (lambda _: 1 / 0, "failed: ZeroDivisionError: division by zero"),
        (lambda _: None, "returned None, which has no 'call'"),
    ],
)
def test_kind_serve(serve: Callable[..., Any], why: str) -> None:
    async def test(bench: Workbench) -> None:
        assert await failure(bench) == f"kind faulty {why}"

    tried(test, tunnel=", kind: faulty, check: none", serve=serve)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        *FAULTS.items(),
        (hangs, "failed: TimeoutError"),
        (returns_nonsense, "returned 42, which has no 'connection_made'"),
    ],
)
def test_kind_accept(fault: Callable[..., Any], why: str) -> None:
    """The listener stays; the connection is refused, and that is told."""

    async def test(bench: Workbench) -> None:
        with pytest.raises(DialRefused):
            await bench.connect("desk")
        (told,) = [event for event in bench.events if isinstance(event, ConnectionFailed)]
        assert (told.tunnel, told.code, told.message) == ("desk", Code.PLUGIN_FAILED, f"kind faulty {why}")
        assert bench.status("desk").state == "ready"

    tried(test, tunnel=", kind: faulty, check: none", serve=lambda _: fault)


@pytest.mark.parametrize(
    ("fault", "why"),
    [*FAULTS.items(), (hangs, seconds(BIND_DEADLINE)), (returns_nonsense, "returned 42, which has no 'addresses'")],
)
def test_kind_bind(fault: Callable[..., Any], why: str) -> None:
    async def test(bench: Workbench) -> None:
        assert await failure(bench) == f"kind faulty {why}"

    tried(test, tunnel=", kind: faulty, check: none", bind=fault)


@pytest.mark.parametrize("method", ["connection_made", "data_received", "eof_received", "connection_lost"])
def test_a_receiver_of_a_kind(method: str) -> None:
    """Its connection ends, and that is told."""

    async def accept(_: object) -> Collector:
        collector = Collector()
        setattr(collector, method, lambda *_: 1 / 0)
        return collector

    async def test(bench: Workbench) -> None:
        client = await bench.connect("desk")
        await client.send(b"hello")
        assert client.stream is not None
        client.stream.write_eof()
        await asyncio.sleep(1)
        client.stream.abort()
        await client.ended.wait()
        await bench.until_true(lambda: any(isinstance(event, ConnectionFailed) for event in bench.events))
        told = next(event for event in bench.events if isinstance(event, ConnectionFailed))
        assert told.message == "kind faulty failed: ZeroDivisionError: division by zero"
        assert bench.status("desk").state == "ready"

    tried(test, tunnel=", kind: faulty, check: none", serve=lambda _: accept)


@pytest.mark.parametrize(("fault", "why"), [*FAULTS.items(), (hangs, "did not come to an end within")])
def test_check_run(fault: Callable[..., Any], why: str) -> None:
    async def test(bench: Workbench) -> None:
        assert (await failure(bench)).startswith(f"check faulty {why}")
        assert bench.status("desk").state == "degraded"

    tried(test, tunnel=", check: faulty", run=fault)


def test_a_check_that_does_not_keep_the_files_timeout_has_failed() -> None:
    async def test(bench: Workbench) -> None:
        await bench.until_true(lambda: bench.status("desk").error is not None)
        error = bench.status("desk").error
        assert error is not None
        assert (error.code, error.message) == (
            Code.CHECK_FAILED,
            "check faulty did not come to an end within 3 seconds",
        )

    tried(test, tunnel=", check: {type: faulty, timeout: 3s}", run=hangs)


async def leaks(*_: object) -> Any:
    raise ValueError(f"no such entry, {CANARY}")


async def gives_text(*_: object) -> Any:
    return CANARY


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (hangs, seconds(SECRET_DEADLINE)),
        (leaks, "failed: ValueError"),
        (raises_oddly, "failed: Odd"),
        (is_not_awaitable, "failed: TypeError"),
        (gives_text, "returned a str, where bytes are due"),
    ],
)
def test_secret_read(fault: Callable[..., Any], why: str) -> None:
    """What a secret's source says in its own words is not repeated: it may hold the secret."""

    async def open_(request: Any) -> Any:
        await request.read_secret(request.server.server.ssh.password)

    async def test(bench: Workbench) -> None:
        assert await failure(bench) == f"waits for odd: secret faulty {why}"
        assert CANARY not in f"{bench.events}{bench.engine.snapshot()}"

    tried(test, server="{ssh: {host: odd.example, password: {faulty: x}}, transport: faulty}", open=open_, read=fault)


def test_a_secret_that_was_read_is_in_nothing_that_can_be_shown() -> None:
    read: list[bytes] = []

    async def gives(_: object) -> bytes:
        return CANARY.encode()

    async def open_(request: Any) -> MemorySession:
        read.append(await request.read_secret(request.server.server.ssh.password))
        return request.over.network.place("odd", over=request.over)  # type: ignore[no-any-return]

    async def test(bench: Workbench) -> None:
        await bench.until("desk", "ready")
        engine = bench.engine
        state = f"{engine._state}{engine._teller}{vars(engine)}{vars(engine._work)}"
        assert CANARY not in f"{bench.events}{engine.snapshot()}{bench.plan}{bench.topology}{state}"

    server = "{ssh: {host: odd.example, password: {faulty: x}}, transport: faulty}"
    tried(test, server=server, open=open_, read=gives)
    assert read == [CANARY.encode()]
