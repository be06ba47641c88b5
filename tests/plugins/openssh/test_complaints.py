"""What ssh writes, in our codes; the lines are OpenSSH 9.2's own."""

import asyncio

import pytest
from orchestra_plugins.openssh.channel import Refusal
from orchestra_plugins.openssh.complaints import (
    KEPT,
    Attempt,
    Log,
    bind_refused,
    command_refused,
    dial_refused,
    open_failed,
    session_lost,
    timed_out,
)

from orchestra.diagnostics import Code

ATTEMPT = Attempt(server="gw", by="laptop", address="198.51.100.1:22", user="alice", timeout=10)
FAILURES = [
    ("alice@gw: Permission denied (publickey).", Code.AUTH_FAILED),
    ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", Code.AUTH_FAILED),
    ("No ED25519 host key is known for gw and you have requested strict checking.", Code.CONNECT_FAILED),
    ("Host key verification failed.", Code.HOST_KEY_UNKNOWN),
    ("@       WARNING: REVOKED HOST KEY DETECTED!               @", Code.HOST_KEY_REVOKED),
    ("Certificate invalid: expired", Code.HOST_CERTIFICATE_INVALID),
    ("ssh: Could not resolve hostname gw: Name or service not known", Code.NAME_UNRESOLVED),
    ("ssh: connect to host gw port 22: Connection refused", Code.CONNECT_REFUSED),
    ("ssh: connect to host gw port 22: Connection timed out", Code.CONNECT_TIMEOUT),
    ("Connection timed out during banner exchange", Code.CONNECT_TIMEOUT),
    ("kex_exchange_identification: Connection closed by remote host", Code.SERVER_BUSY),
    (
        "Unable to negotiate with 10.0.0.1 port 22: no matching cipher found.",
        Code.PROTOCOL_ERROR,
    ),
    ("command-line: line 0: Bad configuration option: nonsense", Code.SSH_CONFIG_INVALID),
    ("Bad owner or permissions on /home/alice/.ssh/config", Code.SSH_CONFIG_INVALID),
    ("something quite new", Code.CONNECT_FAILED),
]


def said(*lines):
    log = Log()
    for line in lines:
        log.said(line)
    return log


@pytest.mark.parametrize(("line", "code"), FAILURES, ids=lambda each: str(each)[:40])
def test_why_it_could_not_be_opened(line, code):
    failed = open_failed(said(line), ATTEMPT, [])
    assert failed.code == code
    assert "gw at 198.51.100.1:22" in str(failed)
    assert line.strip("@ ")[:30] in str(failed)


def test_a_changed_key_is_told_with_both_places_and_before_that_it_is_unknown():
    log = said(
        "debug1: Server host key: ssh-ed25519 SHA256:abc",
        "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
        "Offending ED25519 key in /home/alice/.ssh/known_hosts:4",
        "Host key verification failed.",
    )
    failed = open_failed(log, ATTEMPT, [])
    assert failed.code == Code.HOST_KEY_CHANGED
    assert "it shows ssh-ed25519 SHA256:abc" in str(failed)
    assert "known_hosts:4" in str(failed)


def test_what_was_offered_and_what_nobody_answered():
    log = said(
        "debug1: Offering public key: /home/alice/.ssh/id_ed25519 ED25519 SHA256:abc explicit",
        "debug1: Next authentication method: password",
        "alice@gw: Permission denied (publickey,password).",
    )
    failed = open_failed(log, ATTEMPT, ["nobody was there"], gave_up=True)
    assert "offered: /home/alice/.ssh/id_ed25519 (SHA256:abc), password" in str(failed)
    assert "nobody was there; ssh says: " in str(failed)
    assert "password as a secret" in failed.suggestion


def test_what_a_server_says_moves_no_cursor_and_is_bounded():
    log = said(*(f"\x1b[2J evil {number}" for number in range(1000)))
    assert len(log.lines) == KEPT
    assert "\x1b" not in str(open_failed(log, ATTEMPT, []))


def test_how_far_it_came_before_the_time_was_over():
    assert "did not answer in 10 s" in str(timed_out(said(), ATTEMPT))
    banner = "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1"
    assert "(key exchange)" in str(timed_out(said(banner), ATTEMPT))
    assert "(authentication)" in str(timed_out(said(banner, "debug1: SSH2_MSG_SERVICE_ACCEPT received"), ATTEMPT))


def test_it_is_ready_when_it_says_so():
    log = said("debug1: pledge: network")
    assert not log.is_ready
    log.said("debug1: Entering interactive session.")
    assert log.is_ready


@pytest.mark.parametrize(
    ("line", "status", "why"),
    [
        ("Timeout, server gw not responding.", 255, "no longer answers (keepalive)"),
        ("Connection to gw closed by remote host.", 255, "closed by remote host"),
        ("debug1: nothing", -9, "killed by signal 9"),
        ("debug1: nothing", 255, "it said nothing"),
    ],
)
def test_why_it_was_lost(line, status, why):
    lost = session_lost(said(line), "gw", status)
    assert (lost.code, why in str(lost)) == (Code.SESSION_LOST, True)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal(1, "open failed"), Code.FORWARD_REFUSED),
        (Refusal(3, ""), Code.FORWARD_REFUSED),
        (Refusal(4, "no memory"), Code.DIAL_FAILED),
        (Refusal(2, "Connection refused"), Code.CONNECT_REFUSED),
        (Refusal(2, "Connection timed out"), Code.CONNECT_TIMEOUT),
        (Refusal(2, "Name or service not known"), Code.NAME_UNRESOLVED),
        (Refusal(2, "open failed"), Code.DIAL_FAILED),
        (Refusal(2, "\x1b[31mwhatever"), Code.DIAL_FAILED),
    ],
)
def test_why_a_dial_was_refused(refusal, code):
    failed = dial_refused(refusal, "gw", "db:5432")
    assert failed.code == code
    assert str(failed).startswith("gw dials db:5432: ")
    assert "\x1b" not in str(failed)


def test_why_a_listener_or_a_command_was_refused():
    log = said(
        "debug1: Remote: Server has disabled port forwarding.", "debug1: Remote: /etc/keys:1: key options: user-rc"
    )
    refused = bind_refused(log, "gw", "localhost:80")
    assert refused.code == Code.FORWARD_REFUSED
    assert "Server has disabled port forwarding." in str(refused)
    assert "key options" not in str(refused)
    assert "AllowTcpForwarding" in refused.suggestion
    assert "StreamLocalBindUnlink" in bind_refused(said(), "gw", "unix:/s").suggestion
    assert "MaxSessions" not in str(command_refused(Refusal(2, "open failed"), "gw"))


def test_who_came_to_which_port_in_their_order():
    line = "debug1: client_request_forwarded_tcpip: listen localhost port 4001, originator {} port {}"

    async def scene():
        log = said(line.format("10.0.0.1", 5), line.format("2001:db8::1", 6))
        return [await log.origins.next(port, "gw") for port in (4001, 4001, 4001, 4002)]

    first, second, *unknown = asyncio.run(scene())
    assert (first.host, first.port, first.text) == ("10.0.0.1", 5, "10.0.0.1:5")
    assert second.text == "[2001:db8::1]:6"
    assert {peer.text for peer in unknown} == {"a program on gw"}
