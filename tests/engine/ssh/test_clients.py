"""What asyncssh tells while a connection is made; what it asks, tests of authentication and trust hold."""

import asyncssh
import pytest

from orchestra.engine.ssh.clients import BANNERS, Client, Onlooker
from orchestra.engine.ssh.translate import Negotiation


class Trusting:
    """A verifier that keeps what it is shown."""

    def validate(self, blob):
        self.blob = blob


def attempt():
    return Negotiation(server="gateway", by="laptop", address="10.0.0.2:22", user="alice", timeout=1.0)


def test_banners_are_shown_without_their_control_characters_and_not_for_ever():
    notices = []
    client = Client(None, Trusting(), None, attempt(), notices.append)
    for number in range(BANNERS + 5):
        client.auth_banner_received(f"{number}\x1b[2J", "")
    assert notices == [f"gateway says: {number}·[2J" for number in range(BANNERS)]


def test_what_it_came_to_is_noted():
    of = attempt()
    Client(None, Trusting(), None, of, print).begin_auth("alice")
    assert of.stage == "authentication"


def test_an_onlooker_leaves_when_it_has_seen_the_key():
    of, verifier, connection = attempt(), Trusting(), asyncssh.SSHClient()
    Onlooker(verifier, of).connection_made(connection)
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        connection.validate_server_host_key(b"key")
    assert (verifier.blob, of.banner_seen) == (b"key", True)
