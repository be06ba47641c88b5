"""What the topology says, as arguments; and that ssh reads them so."""

import subprocess
from pathlib import Path

import pytest
from orchestra_plugins.openssh.arguments import call, pinned

from orchestra.diagnostics import Code
from orchestra.model.plan import Dial
from orchestra.model.topology import Attachment, DnsName, Host, SecretRef, Server, SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.errors import OpenFailed
from orchestra.session.here import Here

PINS = Path("/run/pins")
NOTHING = SshSettings(ssh_config="none")


def asked(settings, *, dial=("gw.example", 22), depth=1, extra=(), **host):
    server = Host(name="gateway", kind="server", server=Server(ssh=settings), **host)
    request = OpenRequest(
        server=server,
        dial=Dial(by="laptop", host=dial[0], port=dial[1]),
        over=Here("laptop"),
        depth=depth,
        read_secret=None,
        notice=print,
    )
    return call(request, settings, dict(extra), PINS)


def understood(made):
    """What ssh makes of it: keyword to values."""
    text = subprocess.run(made.words("-G"), check=True, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return found


def settings(**changes):
    return SshSettings(**({"host": "gw.example", "ssh_config": "none"} | changes))


def test_what_the_topology_leaves_open_is_left_to_ssh():
    made = asked(settings(ssh_config=None))
    assert not {"Port", "HostName", "User", "HostKeyAlias", "StrictHostKeyChecking", "IdentityFile"} & {
        keyword for keyword, _ in made.options
    }
    assert made.words()[-2:] == ("--", "gw.example")
    assert "-F" not in made.words()


def test_ssh_understands_every_setting_whatever_is_in_it():
    odd = '/tmp/with space/and"quote/100%h'
    found = understood(
        asked(
            settings(
                user="al ice",
                port=2222,
                identity=(odd, "/two"),
                certificate=("/cert",),
                known_hosts=("/known one", "/two"),
                host_key_policy="accept-new",
                host_key_name="filed",
                keepalive=31.0,
            ),
            dial=("gw.example", 2222),
        )
    )
    assert found["user"] == ["al ice"]
    assert (found["hostname"], found["port"]) == (["gw.example"], ["2222"])
    assert found["identityfile"] == [odd.replace("%", "%%"), "/two"]  # expanded when it is used
    assert found["certificatefile"] == ["/cert"]
    assert found["userknownhostsfile"] == ["/known one /two"]
    assert (found["identitiesonly"], found["passwordauthentication"]) == (["yes"], ["no"])
    assert (found["stricthostkeychecking"], found["hostkeyalias"]) == (["accept-new"], ["filed"])
    assert (found["serveraliveinterval"], found["serveralivecountmax"]) == (["11"], ["2"])
    assert (found["controlmaster"], found["clearallforwardings"], found["batchmode"]) == (["true"], ["yes"], ["no"])


def test_what_is_dialed_elsewhere_keeps_its_own_name_for_its_key():
    made = understood(asked(settings(port=2022), dial=("198.51.100.1", 4022)))
    assert (made["hostname"], made["port"], made["hostkeyalias"]) == (["198.51.100.1"], ["4022"], ["[gw.example]:2022"])
    on_network = Attachment(network="office", addresses=("10.20.0.2",))
    made = understood(asked(NOTHING, dial=("198.51.100.1", 2222), attachments=(on_network,)))
    assert made["hostkeyalias"] == ["10.20.0.2"]
    made = understood(
        asked(NOTHING, dial=("10.20.0.2", 22), attachments=(on_network,), names=(DnsName(text="gw.office"),))
    )
    assert made["hostkeyalias"] == ["gw.office"]


def test_further_hops_may_be_silent_for_longer_and_a_keepalive_may_be_off():
    intervals = [understood(asked(settings(), depth=depth))["serveraliveinterval"] for depth in (1, 2, 3)]
    assert intervals == [["5"], ["7"], ["9"]]
    assert understood(asked(settings(keepalive=0.0)))["serveraliveinterval"] == ["0"]


def test_only_what_the_topology_names_is_offered():
    secret = SecretRef(kind="env", value="X")
    by_password = understood(asked(settings(password=secret)))
    assert (by_password["pubkeyauthentication"], by_password["numberofpasswordprompts"]) == (["false"], ["1"])
    by_agent = understood(asked(settings(agent="/run/agent")))
    assert (by_agent["identityagent"], by_agent["identityfile"]) == (["/run/agent"], ["none"])
    assert understood(asked(settings(agent="none", identity=("/one",))))["identityagent"] == ["none"]


def test_pinned_keys_hold_for_every_name_and_nothing_else_is_believed():
    pins = settings(host_key=("ssh-ed25519 AAAA", "@cert-authority ssh-rsa BBBB"))
    assert pinned(pins) == "* ssh-ed25519 AAAA\n@cert-authority * ssh-rsa BBBB\n"
    made = understood(asked(pins))
    assert (made["userknownhostsfile"], made["globalknownhostsfile"]) == ([str(PINS)], ["none"])
    assert (made["stricthostkeychecking"], made["updatehostkeys"]) == (["true"], ["false"])


def test_keywords_of_the_topology_are_passed_on():
    assert understood(asked(settings(), extra={"Ciphers": "aes128-ctr"}))["ciphers"] == ["aes128-ctr"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"private_key": SecretRef(kind="env", value="X")}, "private_key"),
        ({"ssh_config": "/somewhere/else"}, "ssh_config: /somewhere/else"),
    ],
)
def test_what_ssh_cannot_do_or_must_not(changes, said):
    with pytest.raises(OpenFailed, match=said) as failed:
        asked(settings(**changes))
    assert failed.value.code == Code.TRANSPORT_CANNOT
    assert failed.value.suggestion


def test_files_below_the_users_own_directory_are_his():
    own = Path("~/.ssh/config.work").expanduser()
    assert asked(settings(ssh_config=str(own))).words()[1:3] == ("-F", str(own))
