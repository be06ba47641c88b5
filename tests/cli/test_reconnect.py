"""``orchestra reconnect``: now, whatever stood in the way before."""

from __future__ import annotations

import json
import signal

from tests.cli.instances import needs_sshd, sshd, until


def state(cli):
    return json.loads(cli("status", "-o", "json").out)["state"]


def test_the_sessions_of_a_tunnel_or_to_a_server_or_all_are_opened_anew(changing):
    before = changing("logs").out.count("session bastion: connecting")
    for subject in ((), ("db",), ("bastion",), ("db", "--name", "office")):
        done = changing("reconnect", *subject)
        assert (done.code, done.err) == (0, "office opens 1 session anew: bastion\n")
        assert changing("wait").code == 0
    assert changing("logs").out.count("session bastion: connecting") == before + 4
    wrong = changing("reconnect", "nobody")
    assert (wrong.code, "named nobody is in the plan: there are db, bastion" in wrong.err) == (2, True)


@needs_sshd
def test_it_says_that_a_refused_key_has_been_mended(home, cli):
    with sshd(home.path) as ssh:
        home.write(
            f"servers: {{a: {{ssh: {{{ssh}}}}}}}\ntargets: {{t: {{address: '127.0.0.1:9', host: a}}}}\n"
            "tunnels: {t: {listen: auto, check: none}}\n"
        )
        keys = home.path / "user.pub"
        right = keys.read_text()
        keys.write_text("")
        with home.started("up", "office.yaml") as up:
            up.said("AUTH_FAILED")
            assert state(cli) == "failed"
            keys.write_text(right)
            assert cli("reconnect", "a").code == 0
            up.said("orchestra: ready")
            assert up.ends(signal.SIGTERM)[0] == 0
    until(lambda: home.places == [])
