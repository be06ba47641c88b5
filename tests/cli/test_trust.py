"""``orchestra trust``: two servers, one behind the other, both real."""

import base64
import hashlib
import json
import os
import re
import subprocess

import pytest

from orchestra.cli.trust import Whom, expected
from orchestra.errors import UsageError
from tests.cli.instances import needs_sshd, sshd
from tests.cli.terminal import at_terminal

pytestmark = needs_sshd


@pytest.fixture
def servers(tmp_path, cli):
    """A file with ``inner`` behind ``gateway``; their fingerprints; the user's ``~/.ssh/known_hosts``."""
    for name in ("gateway", "inner"):
        (tmp_path / name).mkdir()
    with sshd(tmp_path / "gateway") as gateway, sshd(tmp_path / "inner") as inner:
        first, second = (re.sub(r", host_key: .*", "", text) for text in (gateway, inner))
        (tmp_path / "office.yaml").write_text(
            f"servers:\n  gateway: {{ssh: {{{first}, host_key_name: gw.example}}}}\n"
            f"  inner: {{ssh: {{{second}}}, behind: gateway}}\n"
            "targets: {db: {host: inner, address: '127.0.0.1:5432'}}\n"
        )
        yield Servers(tmp_path)


class Servers:
    def __init__(self, path):
        self.known_hosts = path / ".ssh" / "known_hosts"
        self.keys = {name: (path / name / "host.pub").read_text().strip() for name in ("gateway", "inner")}

    def fingerprint(self, name):
        digest = hashlib.sha256(base64.b64decode(self.keys[name].split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def option(self, name, of=None):
        return f"--fingerprint={name}={self.fingerprint(of or name)}"


def test_without_a_terminal_nothing_is_written(servers, cli):
    ran = cli("trust", "office.yaml")
    assert ran.code == 4
    assert f"gateway  unknown      ssh-ed25519 {servers.fingerprint('gateway')}\n" in ran.out
    assert "inner    unreachable  gateway dials 127.0.0.1:" in ran.out
    assert "HOST_KEY_UNKNOWN" in ran.err
    assert not servers.known_hosts.exists()


def test_the_right_fingerprints_are_written_hop_by_hop(servers, cli):
    ran = cli("trust", "office.yaml", servers.option("gateway"), servers.option("inner"), "-o", "json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    assert [(each["server"], each["standing"]) for each in document["servers"]] == [
        ("gateway", "written"),
        ("inner", "written"),
    ]
    lines = servers.known_hosts.read_text().splitlines()
    assert lines[0] == f"gw.example {servers.keys['gateway']}"
    assert re.fullmatch(rf"\[127\.0\.0\.1\]:\d+ {re.escape(servers.keys['inner'])}", lines[1])
    assert servers.known_hosts.stat().st_mode & 0o777 == 0o600
    again = cli("trust", "office.yaml")
    assert (again.code, again.out.count(" known "), again.err) == (0, 2, "")
    assert f"{servers.known_hosts}:1" in again.out
    assert servers.known_hosts.read_text().splitlines() == lines


def test_a_wrong_fingerprint_is_nobodys(servers, cli):
    ran = cli("trust", "office.yaml", servers.option("gateway", of="inner"), servers.option("inner"))
    assert ran.code == 4
    assert not servers.known_hosts.exists()


def test_only_the_servers_that_are_named_and_their_way(servers, cli):
    ran = cli("trust", "office.yaml", "gateway", servers.option("gateway"))
    assert (ran.code, ran.out.splitlines()[1:]) == (0, [])
    ran = cli("trust", "office.yaml", "nobody")
    assert ran.code == 2
    assert "no tunnel that is opened from here passes a server 'nobody'" in ran.err
    assert "gateway, inner" in ran.err


def test_a_changed_key_is_shown_and_stays(servers, cli, tmp_path):
    servers.known_hosts.parent.mkdir(mode=0o700)
    servers.known_hosts.write_text(f"gw.example {servers.keys['inner']}\n")
    ran = cli("trust", "office.yaml", servers.option("gateway"))
    assert ran.code == 4
    assert f"gateway  changed      ssh-ed25519 {servers.fingerprint('gateway')}" in ran.out
    assert servers.fingerprint("inner") in ran.err
    assert f"ssh-keygen -f {servers.known_hosts} -R gw.example" in ran.err
    assert servers.known_hosts.read_text() == f"gw.example {servers.keys['inner']}\n"
    command = ["ssh-keygen", "-f", str(servers.known_hosts), "-R", "gw.example"]
    subprocess.run(command, check=True, capture_output=True)
    assert cli("trust", "office.yaml", "gateway", servers.option("gateway")).code == 0


def test_a_server_that_is_down_is_no_question_of_trust(cli):
    from tests.cli.instances import closed_port, refusing

    with closed_port() as port:
        ran = cli("trust", "office.yaml", files={"office.yaml": refusing(port)})
    assert (ran.code, "CONNECT_REFUSED" in ran.err) == (1, True)


def test_a_file_whose_tunnels_pass_no_server(cli):
    ran = cli("trust", files={"orchestra.yaml": "servers: {gateway: }\n"})
    assert (ran.code, ran.out) == (0, "")
    assert "there is nothing to trust" in ran.err


def test_a_person_is_asked_at_the_terminal(servers, tmp_path):
    with at_terminal(tmp_path, os.environ, "-m", "orchestra", "trust", "office.yaml") as person:
        shown = person.shows(r"\(yes/no/the fingerprint\)")
        assert "here dials 127.0.0.1:" in shown or "localhost dials 127.0.0.1:" in shown
        assert f"ssh-ed25519 {servers.fingerprint('gateway')}" in shown
        person.types("yep")
        person.shows("Type 'yes', 'no' or the fingerprint:")
        person.types("yes")
        assert servers.fingerprint("inner") in person.shows(r"\(yes/no/the fingerprint\)")
        person.types("no")
        assert person.ends() == 4
    assert servers.known_hosts.read_text() == f"gw.example {servers.keys['gateway']}\n"


@pytest.mark.parametrize("text", ["gw", "gw=", "=SHA256:x", "gw=SHA256:short", "gw=MD5:00:11", f"gw=SHA256:{'é' * 43}"])
def test_what_is_no_fingerprint(text):
    with pytest.raises(UsageError, match="is not SERVER=SHA256"):
        expected([text])


def test_the_first_word_is_a_file_when_it_looks_like_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").touch()
    words = {"gw": None, "x.yaml": "x.yaml", "./x": "./x", "-": "-", "here": "here"}
    assert {word: Whom(words=[word, "db"]).source.file for word in words} == words
    assert Whom(words=["gw", "db"]).servers == ("gw", "db")
    assert Whom(words=["x.yaml", "db"]).servers == ("db",)
    assert Whom(words=["x.yaml"], files=["f"]).servers == ("x.yaml",)


def test_up_asks_too_and_once(servers, tmp_path):
    with at_terminal(tmp_path, os.environ, "-m", "orchestra", "up", "office.yaml") as person:
        person.shows(r"The host key of gateway is unknown: .*\n.*\n.*\(yes/no/the fingerprint\)")
        person.types(servers.fingerprint("gateway"))
        person.shows(
            r"The host key of inner is unknown: gateway dials 127\.0\.0\.1:.*\n.*\n.*\(yes/no/the fingerprint\)"
        )
        person.types("yes")
        person.shows("session inner: open|inner *open")
        person.types("\x03")
        person.ends()
    assert servers.known_hosts.read_text().startswith("gw.example ")
    assert person.shown.count("(yes/no/the fingerprint)") == 2


def test_up_without_a_terminal_says_what_to_do(servers, cli):
    ran = cli("up", "office.yaml", "--fail-fast", "--timeout", "20")
    assert ran.code == 4
    assert "orchestra trust FILE gateway" in ran.err
