"""KnownHostsCommand: whether it may run, and what it is told."""

import asyncio

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh.hostkeys import ShownKey
from orchestra.engine.ssh.knownhostscommand import known_hosts_of_command
from orchestra.engine.ssh.refusals import About
from orchestra.model.plan import Dial
from orchestra.model.topology import ConfigSettings, SshSettings
from orchestra.session import OpenFailed

from .test_hostkeys import BLOB, KEY

ABOUT = About("gateway", Dial(by="laptop", host="127.0.0.1", port=2222), "gw", "[gw]:2222")


def ask(*command, shown=None, allowed=True):
    config = ConfigSettings(known_hosts_command=command, allow_exec=allowed)
    settings = SshSettings(host="gw", port=2222, config=config)
    return asyncio.run(known_hosts_of_command(settings, ABOUT, "alice", shown))


def test_without_a_command():
    assert asyncio.run(known_hosts_of_command(SshSettings(), ABOUT, "alice", None)) == ""


def test_its_tokens():
    words = "%h %p %r %H %I %t %f %K %%"
    assert ask("/bin/echo", *words.split()) == "gw 2222 alice [gw]:2222 ORDER NONE NONE NONE %\n"
    shown = ShownKey(BLOB)
    told = f"gw 2222 alice [gw]:2222 HOSTNAME {KEY.split()[0]} {shown.fingerprint} {KEY.split()[1]} %\n"
    assert ask("/bin/echo", *words.split(), shown=shown) == told


def test_there_is_no_shell():
    assert ask("/bin/echo", "$(reboot)", ";", "`id`") == "$(reboot) ; `id`\n"


@pytest.mark.parametrize(
    ("command", "allowed", "said"),
    [
        (("/bin/echo", "x"), False, "KnownHostsCommand /bin/echo x, which may not be run"),
        (("/bin/false",), True, "/bin/false ended with status 1"),
        (("/no/such",), True, "/no/such cannot be run"),
        (("/bin/echo", "%z"), True, "%z"),
    ],
)
def test_it_is_refused_with_the_reason(command, allowed, said):
    with pytest.raises(OpenFailed) as refused:
        ask(*command, allowed=allowed)
    assert (refused.value.code, said in str(refused.value)) == (Code.HOST_KEY_UNKNOWN, True)
