"""What ssh writes, in our codes; the lines are OpenSSH 9.2's own."""

import asyncio

import pytest
from orchestra_plugins.openssh.complaints import (
    KEPT,
    Log,
    open_failed,
    session_lost,
    timed_out,
)

from orchestra.diagnostics import Code
from orchestra.session.ssh import SshAttempt

ATTEMPT = SshAttempt(server="gw", by="laptop", address="198.51.100.1:22", user="alice", timeout=10)
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


def test_what_the_server_remarks_on_forwarding_is_kept_and_nothing_else():
    log = said(
        "debug1: Remote: Server has disabled port forwarding.", "debug1: Remote: /etc/keys:1: key options: user-rc"
    )
    assert list(log.remarks) == ["Server has disabled port forwarding."]


def test_who_came_to_which_port_in_their_order():
    line = "debug1: client_request_forwarded_tcpip: listen localhost port 4001, originator {} port {}"

    async def scene():
        log = said(line.format("10.0.0.1", 5), line.format("2001:db8::1", 6))
        return [await log.origins.next(port, "gw") for port in (4001, 4001, 4001, 4002)]

    first, second, *unknown = asyncio.run(scene())
    assert (first.host, first.port, first.text) == ("10.0.0.1", 5, "10.0.0.1:5")
    assert second.text == "[2001:db8::1]:6"
    assert {peer.text for peer in unknown} == {"a program on gw"}
