"""Lines for authorized_keys and sshd_config: exactly what is needed, and nothing that could add to it."""

import pytest

from orchestra.errors import UsageError
from orchestra.model.address import Endpoint
from orchestra.planning.authorize import Needs, Use
from orchestra.render.authorize_text import Limits, authorized_keys, match_block, public_key

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINAJAlwhqa975xJQrUiF5TagbIIrt5v1reDqwclQQ1i6"


def needs(*uses, user="alice"):
    given = tuple(Use("gate", act, why, at) for act, why, at in uses)
    return Needs(server="gate", user=user, uses=given, dialed_by=frozenset({"here"}))


def line(need, limits=None):
    return authorized_keys(need, KEY, limits or Limits()).splitlines()[-1]


def settings(need, limits=None):
    rows = [row.split(" ") for row in match_block(need, limits or Limits()).splitlines() if row.startswith("    ")]
    return {row[4]: " ".join(row[5:]) for row in rows}


OPEN = ("open", "tunnel db", Endpoint("db", 5432))
LISTEN = ("listen", "tunnel web", Endpoint("localhost", 8080))


def test_a_line_and_what_it_is_for():
    assert authorized_keys(needs(OPEN, LISTEN), KEY, Limits()) == (
        "# gate, account alice\n"
        "# opens db:5432: tunnel db\n"
        "# listens localhost:8080: tunnel web\n"
        "# a key cannot forbid unix sockets; in sshd_config: AllowStreamLocalForwarding no\n"
        'restrict,port-forwarding,permitopen="db:5432",permitlisten="localhost:8080",command="exit 1" ' + KEY
    )


def test_a_block_and_what_it_is_for():
    assert match_block(needs(OPEN), Limits()) == (
        "# gate, account alice\n"
        "# opens db:5432: tunnel db\n"
        "Match User alice\n"
        "    AllowTcpForwarding local\n"
        "    PermitOpen db:5432\n"
        "    PermitListen none\n"
        "    GatewayPorts no\n"
        "    AllowStreamLocalForwarding no\n"
        "    PermitTunnel no\n"
        "    MaxSessions 0"
    )


def test_a_direction_that_is_not_needed_is_closed():
    """No entry at all would permit everything."""
    assert 'permitlisten="NONE.invalid:1"' in line(needs(OPEN))
    assert 'permitopen="NONE.invalid:1"' in line(needs(LISTEN))
    assert settings(needs(LISTEN))["AllowTcpForwarding"] == "remote"
    assert settings(needs(LISTEN))["PermitOpen"] == "none"
    assert settings(needs(OPEN, LISTEN))["AllowTcpForwarding"] == "yes"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (Endpoint("", 8080), ":8080"),
        (Endpoint("localhost", 0), "localhost:*"),
        (Endpoint("2001:DB8::1", 80), "[2001:db8::1]:80"),
        (Endpoint("GW.example", 80), "gw.example:80"),
    ],
)
def test_listening_is_compared_in_lower_case(at, text):
    assert f'permitlisten="{text}"' in line(needs(("listen", "tunnel web", at)))
    assert settings(needs(("listen", "tunnel web", at)))["PermitListen"] == text


def test_dialing_is_compared_letter_by_letter():
    assert 'permitopen="DB.example:80"' in line(needs(("open", "x", Endpoint("DB.example", 80))))
    assert 'permitopen="[fe80::1%eth0]:80"' in line(needs(("open", "x", Endpoint("fe80::1%eth0", 80))))


def test_beyond_loopback():
    need = needs(("listen", "x", Endpoint("10.0.0.1", 80)))
    assert settings(need)["GatewayPorts"] == "clientspecified"
    assert "# sshd_config has to say: GatewayPorts clientspecified\n" in authorized_keys(need, KEY, Limits())


def test_what_texts_cannot_tell():
    need = needs(("open any", "tunnel socks", None), ("listen unix", "tunnel u", None), ("run", "tunnel dns", None))
    assert line(need) == f'restrict,port-forwarding,permitlisten="NONE.invalid:1" {KEY}'
    found = settings(need)
    assert (found["PermitOpen"], found["AllowStreamLocalForwarding"]) == ("any", "remote")
    assert "MaxSessions" not in found
    assert (found["PermitTTY"], found["X11Forwarding"]) == ("no", "no")


def test_a_server_that_forwards_nothing():
    assert line(needs(("run", "tunnel dns", None))) == f"restrict {KEY}"
    assert settings(needs())["AllowTcpForwarding"] == "no"


def test_limits():
    limits = Limits(sources=("192.0.2.0/24", "2001:db8::1"), expiry="20261231")
    assert 'from="192.0.2.0/24,2001:db8::1",expiry-time="20261231",permitopen' in line(needs(OPEN), limits)
    assert settings(needs(OPEN), limits)["AllowUsers"] == "*@192.0.2.0/24 *@2001:db8::1"
    assert "Match User alice\n" in match_block(needs(OPEN), limits)  # from elsewhere the block holds too


@pytest.mark.parametrize("host", ['a",command="evil', "fe80::1%x y", "a\nb", "*", "a,b", "host?", "[x", "a'b", "a#b"])
@pytest.mark.parametrize("act", ["open", "listen"])
def test_no_text_adds_an_option_or_a_line(host, act):
    need = needs((act, "x", Endpoint(host, 80)))
    for form in (lambda: line(need), lambda: match_block(need, Limits())):
        with pytest.raises(UsageError, match="cannot be told"):
            form()


@pytest.mark.parametrize("user", ["a b", "alice,root", "*", "a\nPermitRootLogin yes", "!x", 'a"b', "-a", "a#"])
def test_no_user_is_a_pattern(user):
    with pytest.raises(UsageError, match="no account"):
        match_block(needs(OPEN, user=user), Limits())


def test_a_reason_stays_on_its_line():
    need = needs(("open", "tunnel x\nssh-rsa AAAA", Endpoint("db", 1)), user="a\nssh-rsa AAAA")
    assert all(row.startswith(("#", "restrict")) for row in authorized_keys(need, KEY, Limits()).splitlines())


def test_without_a_key_or_an_account_nothing_is_granted():
    assert authorized_keys(needs(OPEN), None, Limits()).endswith(" PUBLIC-KEY")
    assert "Match User ACCOUNT\n" in match_block(needs(OPEN, user=None), Limits())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{KEY} alice@laptop\n", f"{KEY} alice@laptop"),
        (f"# old\n\n{KEY}\n", KEY),
        (f"{KEY} a\x1b[31mb", f"{KEY} a·[31mb"),
        (f'command="x" {KEY}', None),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", None),
        ("", None),
    ],
)
def test_a_public_key_file(text, found):
    assert public_key(text) == found
