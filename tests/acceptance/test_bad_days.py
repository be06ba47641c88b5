"""Bad days: every failure names the host at fault, says what was attempted and what came back, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.model.status import ErrorStatus
from orchestra.model.topology import Topology
from tests.acceptance.world import LABS, World, play, with_server, world

HERE = Path(__file__).parents[2] / "topologies"
TWO_HOPS = HERE / "vnc-firewall.yaml"
CALLBACK = HERE / "callback.yaml"


def failed_session(up: World, server: str) -> ErrorStatus:
    error = up.session(server).error
    assert error, up.engine.snapshot()
    return error


def failed_tunnel(up: World, name: str) -> ErrorStatus:
    error = up.tunnel(name).error
    assert error, up.engine.snapshot()
    return error


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("victim", ["gateway", "inner"])
def test_a_hop_that_is_down_is_named_and_no_other_is_blamed(kind: str, victim: str) -> None:
    async def scene() -> None:
        async with world(TWO_HOPS, kind) as up:
            await up.until_ready()
            await up.lab.stop_server(victim)
            await up.until(lambda: (up.session(victim).error or up).__class__ is ErrorStatus)
            await up.until(lambda: failed_session(up, victim).code in {"CONNECT_REFUSED", "DIAL_FAILED"})
            error = failed_session(up, victim)
            dialer, address = ("laptop", "203.0.113.2:22") if victim == "gateway" else ("gateway", "10.20.0.3:22")
            assert dialer in error.message
            assert address in error.message
            other = "inner" if victim == "gateway" else "gateway"
            assert up.session(other).error is None

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_a_target_that_is_down_is_told_by_who_dialed_what_and_what_came_back(kind: str) -> None:
    async def scene() -> None:
        async with world(TWO_HOPS, kind) as up:
            await up.lab.stop_target("desk")
            await up.until(lambda: up.tunnel("desk").error is not None)
            error = failed_tunnel(up, "desk")
            assert error.code in {"CONNECT_REFUSED", "DIAL_FAILED"}
            assert "inner dialed 10.30.0.30:5900" in error.message
            assert "refused" in error.message.lower()
            assert up.tunnel("desk").state == "degraded"
            await up.lab.start_target("desk")
            await up.until_ready()

    play(scene())


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("forwarding", [{"local": False}, {"permit_open": ("10.30.0.30:22",)}])
def test_a_server_whose_policy_forbids_the_dial_is_named(kind: str, forwarding: dict[str, object]) -> None:
    def reality(topology: Topology) -> Topology:
        return with_server(topology, "inner", forwarding=forwarding)

    async def scene() -> None:
        async with world(TWO_HOPS, kind, reality=reality) as up:
            await up.until(lambda: up.tunnel("desk").error is not None)
            error = failed_tunnel(up, "desk")
            assert (error.code, error.host) == ("FORWARD_REFUSED", "inner")
            assert "10.30.0.30:5900" in error.message
            assert "PermitOpen" in (error.suggestion or "")

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_a_server_that_narrows_a_listener_is_caught(kind: str) -> None:
    def reality(topology: Topology) -> Topology:
        return with_server(topology, "gateway", forwarding={"gateway_ports": "no"})

    async def scene() -> None:
        async with world(CALLBACK, kind, reality=reality) as up:
            await up.until(lambda: up.tunnel("preview").error is not None)
            error = failed_tunnel(up, "preview")
            assert (error.code, error.host) == ("BIND_NARROWED", "gateway")
            assert up.tunnel("preview").state == "failed"
            await up.until(lambda: up.tunnel("webhook").state == "ready")  # the other one is not touched

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_a_server_that_widens_a_listener_is_caught(kind: str) -> None:
    def reality(topology: Topology) -> Topology:
        return with_server(topology, "gateway", forwarding={"gateway_ports": "yes"})

    async def scene() -> None:
        async with world(CALLBACK, kind, reality=reality) as up:
            await up.until(lambda: up.tunnel("webhook").error is not None)
            error = failed_tunnel(up, "webhook")
            assert (error.code, error.host) == ("BIND_WIDENED", "gateway")

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_remote_forwarding_that_is_switched_off_is_said(kind: str) -> None:
    def reality(topology: Topology) -> Topology:
        return with_server(topology, "gateway", forwarding={"remote": False})

    async def scene() -> None:
        async with world(CALLBACK, kind, reality=reality) as up:
            await up.until(lambda: up.tunnel("webhook").error is not None)
            assert failed_tunnel(up, "webhook").code == "FORWARD_REFUSED"

    play(scene())


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"user": "nobody-of-that-name"}, "AUTH_FAILED"),
        (
            {"host_key": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINAJAlwhqa975xJQrUiF5TagbIIrt5v1reDqwclQQ1i6",)},
            "HOST_KEY_CHANGED",
        ),
        ({"host_key": (), "known_hosts": ("/dev/null",)}, "HOST_KEY_UNKNOWN"),
    ],
)
def test_identity_errors_stop_that_branch_and_are_not_tried_again(
    kind: str, change: dict[str, object], code: str
) -> None:
    def login(topology: Topology) -> Topology:
        return with_server(topology, "inner", ssh=change)

    async def scene() -> None:
        async with world(TWO_HOPS, kind, login=login) as up:
            await up.until(lambda: up.session("inner").state == "failed")
            error = failed_session(up, "inner")
            assert (error.code, error.host, error.next_retry) == (code, "inner", None)
            assert up.session("gateway").state == "open"
            assert "SHA256:" in error.message or code == "AUTH_FAILED"

    play(scene())
