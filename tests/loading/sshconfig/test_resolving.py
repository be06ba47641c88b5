"""From lines that hold to settings."""

import random

import pytest

from orchestra.loading.sshconfig.resolving import jump_of
from orchestra.loading.sshconfig.values import Jump
from tests.loading.sshconfig.against_ssh import VALUES
from tests.loading.sshconfig.ground import USER, codes, resolved


def test_settings_and_their_origins():
    found = resolved(
        """
        HostName %h.example
        User ops
        Port 2222
        IdentityFile ~/.ssh/id_%h_%r
        IdentityFile none
        CertificateFile ${KEYS}/cert
        HostKeyAlias The-GW
        StrictHostKeyChecking ask
        ConnectTimeout 1m
        ServerAliveInterval 10
        ServerAliveCountMax 2
        """,
        KEYS="/keys",
    )
    settings = found.settings
    assert (settings.host, settings.user, settings.port) == ("gw.example", "ops", 2222)
    assert settings.identity == ("/home/ann/.ssh/id_gw.example_ops",)
    assert settings.certificate == ("/keys/cert",)
    assert (settings.host_key_name, settings.host_key_policy) == ("the-gw", "ask")
    assert (settings.connect_timeout, settings.keepalive) == (60, 30.0)  # ssh gives up after count + 1 intervals
    assert found.origins["host"] == f"{USER}:2"
    assert found.origins["keepalive"] == f"{USER}:11"
    assert found.jumps == ()


def test_what_only_ssh_config_can_say():
    config = resolved(
        "AddressFamily inet6\nBindAddress fd00::1\nIdentitiesOnly yes\nPasswordAuthentication no\n"
        "PreferredAuthentications publickey,password\nNumberOfPasswordPrompts 1\nCiphers +aes128-cbc\n"
        "UserKnownHostsFile ~/a /b/%k\nGlobalKnownHostsFile none\nRevokedHostKeys ~/revoked\n"
        'KnownHostsCommand /bin/x "%H y"\nHashKnownHosts yes\nRequiredRSASize 3072\nHostKeyAlias k'
    ).settings.config
    assert (config.address_family, config.bind_address, config.identities_only) == ("ipv6", "fd00::1", True)
    assert (config.password_authentication, config.kbdint_authentication) == (False, True)
    assert (config.preferred_authentications, config.password_prompts) == (("publickey", "password"), 1)
    assert (config.ciphers, config.required_rsa_size, config.hash_known_hosts) == ("+aes128-cbc", 3072, True)
    assert (config.user_known_hosts, config.global_known_hosts) == (("/home/ann/a", "/b/k"), ())
    assert (config.revoked_host_keys, config.known_hosts_command) == ("/home/ann/revoked", ("/bin/x", "%H y"))
    assert config.allow_exec is False


def test_nothing_said():
    found = resolved("")
    assert (found.settings.port, found.settings.user, found.settings.identity) == (None, None, ())
    assert found.settings.config.user_known_hosts is None
    assert dict(found.origins) == {}


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("none", "none"),
        ("SSH_AUTH_SOCK", None),
        ("$MINE", "/run/mine"),
        ("$NOBODYS", "none"),
        ("${MINE}/x", "/run/mine/x"),
        ("~/agent", "/home/ann/agent"),
        ("/run/%u/%i", "/run/ann/1000"),
    ],
)
def test_agents(text, agent):
    found = resolved(f"IdentityAgent {text}", MINE="/run/mine")
    assert found.settings.agent == agent
    assert found.origins["agent"] == f"{USER}:1"


@pytest.mark.parametrize(
    ("said", "policy"), [("yes", "strict"), ("ask", "ask"), ("accept-new", "accept-new"), ("no", "accept-new")]
)
def test_checking_is_never_turned_off(said, policy):
    assert resolved(f"StrictHostKeyChecking {said}").settings.host_key_policy == policy
    assert resolved("UserKnownHostsFile none").settings.config.user_known_hosts == ()


def test_batch_mode_asks_nobody():
    settings = resolved("BatchMode yes").settings
    assert (settings.host_key_policy, settings.config.password_prompts) == ("strict", 0)
    assert resolved("BatchMode yes\nStrictHostKeyChecking accept-new").settings.host_key_policy == "accept-new"


@pytest.mark.parametrize(
    ("command", "jump"),
    [
        ("ssh -W %h:%p jump", Jump("jump")),
        ("/usr/bin/ssh -q -W [%h]:%p -l ann -p 2222 jump", Jump("jump", "ann", 2222)),
        ("ssh ann@jump -W %h:%p", Jump("jump", "ann")),
        ("ssh -W other:22 jump", None),
        ("ssh -W %h:%p -o X=y jump", None),
        ("ssh jump nc %h %p", None),
        ("ssh -W %h:%p %r@jump", None),
        ("nc %h %p", None),
        ("ssh 'x", None),
        ("", None),
    ],
)
def test_the_old_way_to_write_a_jump(command, jump):
    assert jump_of(command) == jump


@pytest.mark.parametrize("text", ["IdentityFile ${NOT_SET}", "UserKnownHostsFile %z", "User 'a;b'", "User -x"])
def test_values_that_cannot_be_used(text):
    assert codes(resolved(text).refusals) == ["SSH_CONFIG_INVALID:1"]


def test_fuzz():
    """Whatever stands in a file: settings or refusals, nothing raised. A longer run is that of against_ssh."""
    chance = random.Random(11)  # noqa: S311
    pieces = [f"{name} {value}" for name, values in VALUES.items() for value in values]
    pieces += [
        "Host *",
        "Match final all",
        "Match exec x",
        "Include config",
        'Host "',
        "\x00",
        "\udcff",
        "%",
        "${",
        "=",
        "'",
    ]
    for _ in range(400):
        lines = [chance.choice(pieces) for _ in range(chance.randint(1, 12))]
        text = "".join(line if chance.random() < 0.1 else f"{line}\n" for line in lines)
        at = chance.randrange(len(text))
        found = resolved(text[:at] + chance.choice(pieces) + text[at:])
        assert found.refusals or found.settings.config is not None
