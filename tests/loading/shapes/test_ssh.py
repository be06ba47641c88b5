"""Logins, secrets and what an sshd permits, in every form."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault
from orchestra.loading.shapes import ssh
from orchestra.model.topology import SecretRef
from tests.loading.words import read, server

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJDQ1gCqUGwKHuW0cSh2+TVBQWkSoohkTEYG9MwTyRsd"


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("s", ("s", None, None)),
        ("u@s:2222", ("s", "u", 2222)),
        ('"[::1]:22"', ("::1", None, 22)),
        ("u@v@s", ("s", "u@v", None)),
        ("u@fd00::1", ("fd00::1", "u", None)),
        ("{ssh: u@s:2}", ("s", "u", 2)),
        ("{ssh: {host: s, user: 0777}}", ("s", "0777", None)),
        ("{ssh: {host: s, user: yes}}", ("s", "yes", None)),
        ("{ssh: {host: s, user: 1.10}}", ("s", "1.10", None)),
    ],
)
def test_logins(text: str, login: tuple[str, str | None, int | None]) -> None:
    found = server(f"servers: {{s: {text}}}").ssh
    assert (found.host, found.user, found.port) == login


def test_lists_of_one() -> None:
    found = server(
        f"servers: {{s: {{ssh: {{identity: k, certificate: [c], known_hosts: ./kh, host_key: ssh-ed25519 {KEY} me}}}}}}"
    ).ssh
    here = Path.cwd()
    assert (found.identity, found.certificate, found.known_hosts) == (
        (str(here / "k"),),
        (str(here / "c"),),
        (str(here / "kh"),),
    )
    assert found.host_key == (f"ssh-ed25519 {KEY}",)
    found = server(
        f'servers: {{s: {{ssh: {{host_key: ["@cert-authority ssh-ed25519 {KEY}"], agent: none, ssh_config: none}}}}}}'
    ).ssh
    assert found.host_key == (f"@cert-authority ssh-ed25519 {KEY}",)
    assert (found.agent, found.ssh_config) == ("none", "none")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{env: PASSWORD}", SecretRef(kind="env", value="PASSWORD")),
        ("{file: ~/secret}", SecretRef(kind="file", value="/home/u/secret")),
        ("{command: [pass, show, x]}", SecretRef(kind="command", value=("pass", "show", "x"))),
        ("{vault: {path: [1, x]}}", SecretRef(kind="vault", value={"path": [1, "x"]})),
    ],
)
def test_secrets(text: str, secret: SecretRef) -> None:
    assert server(f"servers: {{s: {{ssh: {{password: {text}}}}}}}").ssh.password == secret


def test_forwarding() -> None:
    text = "{local: no, gateway_ports: yes, permit_open: ['*:22', 'DB:5432'], permit_listen: any}"
    forwarding = server(f"servers: {{s: {{forwarding: {text}}}}}").forwarding
    assert (forwarding.local, forwarding.remote, forwarding.gateway_ports) == (False, True, "yes")
    assert (forwarding.permit_open, forwarding.permit_listen) == (("*:22", "DB:5432"), None)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("db.example", {"host": "db.example"}),
        ("me@[::1]:2222", {"host": "::1", "user": "me", "port": 2222}),
        ("a@b@c:22", {"host": "c", "user": "a@b", "port": 22}),
    ],
)
def test_a_login_is_the_keys_of_its_long_form(text: str, keys: dict[str, object]) -> None:
    assert ssh.login(text) == keys


@pytest.mark.parametrize("text", ["me@", "me@:22", "22", "unix:/run/x", "me@host:70000"])
def test_what_is_no_login(text: str) -> None:
    with pytest.raises(Fault) as raised:
        ssh.login(text)
    assert raised.value.code is Code.BAD_ADDRESS


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("SHA256:5YHJl8x2bYp6jLrBvVfM9w", "the fingerprint is not enough"),
        (KEY, "TYPE KEY"),
        (f"ssh-rsa {KEY}", "TYPE KEY"),  # the key says that it is another type
        ("ssh-ed25519 AAAA", "TYPE KEY"),
        ("", "TYPE KEY"),
    ],
)
def test_what_is_no_host_key(text: str, hint: str) -> None:
    with pytest.raises(Fault) as raised:
        ssh.host_key_line(text)
    assert hint in str(raised.value.suggestion)


@pytest.mark.parametrize(
    ("text", "good"),
    [("*:22", True), ("db:*", True), ("[::1]:22", True), ("db", False), (":22", False), ("db:0", False)],
)
def test_what_permit_open_may_hold(text: str, good: bool) -> None:
    if good:
        assert ssh.permitted(text) == text
    else:
        with pytest.raises(Fault):
            ssh.permitted(text)


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ("hunter2", "BAD_TYPE"),
        ("{}", "MISSING_KEY"),
        ("{env: A, file: b}", "BAD_VALUE"),
        ("{environ: A}", "UNKNOWN_NAME"),
        ("{command: ls}", "BAD_TYPE"),
        ("{file: []}", "BAD_TYPE"),
    ],
)
def test_a_secret_is_written_by_reference(secret: str, error: str | None) -> None:
    found = read(f"servers: {{s: {{ssh: {{password: {secret}}}}}}}\n").diagnostics
    assert [str(each.code) for each in found] == ([error] if error else [])
    assert all("hunter2" not in each.message for each in found)
