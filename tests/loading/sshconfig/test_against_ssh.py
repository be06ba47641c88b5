"""The same files, read by the system's ssh and by us: hand-written ones, and random ones that anybody can repeat."""

from textwrap import dedent

import pytest

from tests.loading.sshconfig.against_ssh import ENVIRON, by_ssh, by_us, compare_many, differences, needs_ssh

pytestmark = needs_ssh

CONFIGS = {
    "nothing": "",
    "comments and blanks": "# Host *\n\n   \n\t# User x\n",
    "first value wins": "User a\nUser b\nHost *\nUser c\nPort 1\nPort 2",
    "host blocks": "Host gw\nUser a\nHost web*\nUser b\nHost *\nUser c",
    "negation": "Host * !gw\nUser a\nHost *\nUser b",
    "negation first": "Host !gw *\nUser a",
    "only a negation": "Host !web1.example.com\nUser a",
    "letter case of hosts": "Host db\nUser a\nHost DB\nUser b",
    "question marks": "Host g?\nUser a\nHost web?.example.com\nUser b",
    "equals signs": "User=a\nPort = 1022\nHostName= other\nIdentityFile =/x",
    "two equals signs": "User==a",
    "quotes": 'User "a b"\nIdentityFile "/with blank/x"\nCertificateFile \'/c "d"\'\nHostKeyAlias a"b c"d',
    "backslashes": 'User a\\ b\nIdentityFile "/x\\"y"\nCertificateFile /a\\b',
    "a quote that is not closed": 'User "a',
    "quoted keyword": '"User" a',
    "a comment behind": "User a # b\nPort 1022# c",
    "too many arguments": "User a b",
    "no argument": "User",
    "an empty argument": 'User ""',
    "an unknown keyword": "Foo bar",
    "an unknown keyword elsewhere": "Host other\nFoo bar",
    "an ignored unknown keyword": "IgnoreUnknown Fo*,x\nFoo bar baz\n",
    "ignored too late": "Foo bar\nIgnoreUnknown Foo",
    "several identities": "IdentityFile a\nIdentityFile b\nIdentityFile a\nHost *\nIdentityFile c",
    "tokens": "User ops\nPort 1022\nHostName %h.example\nUserKnownHostsFile /%h/%n/%p/%r/%u/%i/%L/%k/%d/%%",
    "the hash of a connection": "HostName x\nIdentityAgent /run/%C",
    "an unknown token": "UserKnownHostsFile /%z",
    "environment": "IdentityAgent ${E_DIR}/a\nUserKnownHostsFile ${E_DIR}/%h",
    "environment that is not set": "IdentityAgent ${NOT_SET_ANYWHERE}/a",
    "host name of a host name": "HostName a\nHost a\nUser x",
    "match host after a host name": "HostName a.example\nMatch host a.example\nUser x\nMatch originalhost gw\nPort 1",
    "match all": "Match all\nUser a",
    "match with all and more": "Match all host x\nUser a",
    "match nothing": "Match\nUser a",
    "match of an unknown kind": "Match colour blue\nUser a",
    "match final": "HostName real.example\nMatch final host real.*\nUser a\nMatch host gw\nUser b",
    "final over host blocks": "HostName real.example\nHost real.*\nUser a\nMatch final all\nPort 1022",
    "match canonical": "Match canonical\nUser a\nMatch final\nUser b",
    "match user": "User ops\nMatch user ops,!root\nPort 1022\nMatch user root\nPort 2022",
    "match exec": 'Match exec "test %h = gw"\nUser a\nMatch !exec "test %p = 22"\nUser b',
    "match exec that is skipped": 'Match host other exec "touch /nonexistent/x"\nUser a',
    "jumps": "ProxyJump a,u@b:2022,[::1]:22\nProxyCommand nc %h %p",
    "a command before jumps": "ProxyCommand nc %h %p\nProxyJump a",
    "no jump": "ProxyJump none\nProxyCommand nc %h %p",
    "a jump that is none": "ProxyJump a:b",
    "a jump to itself": "Host gw\nProxyJump gw",
    "times": "ConnectTimeout 1h2m3\nServerAliveInterval 90s",
    "no time": "ConnectTimeout soon",
    "none, then a time": "ConnectTimeout none\nConnectTimeout 5",
    "ports": "Port 0",
    "a port too large": "Port 65536",
    "flags": "IdentitiesOnly TRUE\nHashKnownHosts maybe",
    "known hosts": "UserKnownHostsFile none\nGlobalKnownHostsFile /a /b",
    "known hosts, and none": "UserKnownHostsFile /a none",
    "strictness": "StrictHostKeyChecking off\nStrictHostKeyChecking yes",
    "algorithms": "Ciphers ^aes256-ctr\nMACs -*etm*\nKexAlgorithms -*sntrup*\nHostKeyAlgorithms ssh-ed25519",
    "old names": "ChallengeResponseAuthentication no\nPubkeyAcceptedKeyTypes ssh-ed25519\nKeepAlive no",
    "things of no concern": "ForwardAgent yes\nLocalForward 1 a:2\nControlMaster auto\nSendEnv A B\nSetEnv A=b",
    "deprecated": "Protocol 2\nCipher blowfish\nRSAAuthentication yes\nUsePrivilegedPort no",
    "a null byte": "User a\0b\nPort 1022",
    "carriage returns": "User a\r\nHost gw\r\nPort 1022\r\n",
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("host", ["gw", "web1.example.com"])
def test_by_hand(tmp_path, name, host):
    file = tmp_path / "config"
    file.write_text(CONFIGS[name], newline="")
    assert differences(file, host, ENVIRON) == {}


def test_addresses_and_letter_case(tmp_path):
    file = tmp_path / "config"
    file.write_text("HostName %h\nHost DB\nUser a\n")
    for host in ("DB", "2001:DB8::0001", "10.0.0.7", "fe80::1"):
        assert differences(file, host) == {}


def test_includes(tmp_path):
    (tmp_path / "parts").mkdir()
    parts = {"a.conf": "User a\nHost gw\nPort 1022\n", "b.conf": "Host web*\nUser b\nMatch final\nIdentityFile b\n"}
    for name, text in parts.items():
        (tmp_path / "parts" / name).write_text(text)
    file = tmp_path / "config"
    file.write_text(
        dedent(f"""\
        Host web*
          Include {tmp_path}/parts/*.conf {tmp_path}/none/*
          HostName inside
        Include {tmp_path}/parts/b.conf
        Port 3022
        """)
    )
    for host in ("gw", "web1.example.com"):
        assert differences(file, host) == {}
    (tmp_path / "parts" / "b.conf").chmod(0o666)
    assert "permissions" in by_ssh(file, "gw")
    assert "others may write it" in by_us(file, "gw")


def test_at_random(tmp_path):
    found = compare_many(60, 20260101, tmp_path)
    assert not found, "\n".join(found)
