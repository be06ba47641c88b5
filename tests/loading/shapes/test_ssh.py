"""Logins, secrets and what an sshd permits, in every form."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.model.topology import SecretRef
from tests.loading.words import server

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
    ssh = server(f"servers: {{s: {text}}}").ssh
    assert (ssh.host, ssh.user, ssh.port) == login


def test_lists_of_one() -> None:
    ssh = server(
        f"servers: {{s: {{ssh: {{identity: k, certificate: [c], known_hosts: ./kh, host_key: ssh-ed25519 {KEY} me}}}}}}"
    ).ssh
    here = Path.cwd()
    assert (ssh.identity, ssh.certificate, ssh.known_hosts) == (
        (str(here / "k"),),
        (str(here / "c"),),
        (str(here / "kh"),),
    )
    assert ssh.host_key == (f"ssh-ed25519 {KEY}",)
    ssh = server(
        f'servers: {{s: {{ssh: {{host_key: ["@cert-authority ssh-ed25519 {KEY}"], agent: none, ssh_config: none}}}}}}'
    ).ssh
    assert ssh.host_key == (f"@cert-authority ssh-ed25519 {KEY}",)
    assert (ssh.agent, ssh.ssh_config) == ("none", "none")


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
