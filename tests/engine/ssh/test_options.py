"""What asyncssh is told: nothing that it might read, offer or trust by itself."""

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh.options import CIPHERS, KEEPALIVE_PROBES, options
from orchestra.engine.ssh.trust import Verifier
from orchestra.model.topology import ConfigSettings, SshSettings
from orchestra.session import OpenFailed
from orchestra.session.here import Here

from .sshd import request


def told(*, depth=1, config=None, **settings):
    wanted = SshSettings(port=22, config=ConfigSettings(**config) if config else None, **settings)
    return options(wanted, Verifier(request(wanted, Here("laptop")), wanted, "alice"), "alice", depth)


def test_nothing_of_the_user_is_offered_or_read_unasked():
    found = told(identity=("~/.ssh/id",), password=None)
    assert (found["username"], found["known_hosts"]("gw", None, 22)) == ("alice", ([], [], []))
    assert [found[name] for name in ("client_keys", "agent_path", "password", "gss_host")] == [None] * 4
    assert [found[name] for name in ("agent_forwarding", "x11_forwarding", "host_based_auth")] == [False] * 3


@pytest.mark.parametrize(("depth", "keepalive", "silence"), [(1, None, 15), (3, None, 25), (3, 6.0, 6), (1, 0.0, 0)])
def test_a_further_hop_may_be_silent_longer_unless_the_topology_says_how_long(depth, keepalive, silence):
    assert told(depth=depth, keepalive=keepalive)["keepalive_interval"] * KEEPALIVE_PROBES == silence


def test_only_what_ssh_config_names_differs_from_the_usual_algorithms():
    assert told()["encryption_algs"] == told(config={"macs": "+hmac-sha1"})["encryption_algs"] == CIPHERS
    found = told(config={"ciphers": "aes256-ctr", "macs": "^hmac-sha2-512"})
    assert (found["encryption_algs"], found["mac_algs"][0]) == (("aes256-ctr",), "hmac-sha2-512")
    assert "kex_algs" not in found


def test_algorithms_that_nobody_has():
    with pytest.raises(OpenFailed, match="rot13") as failed:
        told(config={"ciphers": "rot13"})
    assert failed.value.code == Code.SSH_CONFIG_REFUSED
    assert "aes256-ctr" in failed.value.suggestion
