"""``orchestra logs``: of what runs, of what ran, and on until it ends."""

import json
import signal

from orchestra.assembly import journal as module
from orchestra.assembly.journal import journal
from orchestra.cli.logs import _Reader
from tests.cli.instances import LAB, needs_sshd, sshd


def test_nothing_runs_and_nothing_ran(cli):
    assert (cli("logs").code, cli("logs", "office").code) == (1, 1)
    assert cli("logs", "../office").code == 1


def test_what_runs_has_said(ready):
    lines = ready("logs").out.splitlines()
    assert " office starts, pid " in lines[0]
    assert any("tunnel db: ready" in line for line in lines)
    assert ready("logs", "office").out.splitlines() == lines


def test_it_is_followed_to_its_end_and_can_be_read_after_it(home, cli):
    home.write(LAB)
    assert cli("up", "-d", "-q", "--lab", "embedded", "office.yaml").code == 0
    with home.started("logs", "-f") as following:
        following.said("tunnel db: ready")
        assert cli("down").code == 0
        code, rest = following.ends()
    assert (code, rest.endswith("office has ended\n")) == (0, True)
    assert cli("logs", "office").out.endswith("office has ended\n")
    (home.path / "state" / "orchestra" / "office.log").unlink()
    assert cli("logs", "office").code == 1


class Heard:
    """A console that keeps what is shown."""

    def __init__(self):
        self.out = self.stream = self
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_it_is_followed_from_file_to_file(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FULL", 100)
    path, heard = tmp_path / "office.log", Heard()
    with journal(path) as log:
        log.write("line 0")
        reader = _Reader(path)
        for number in range(1, 60):
            log.write(f"line {number}")
            if number % 5 == 0:
                reader.show(heard)
        reader.show(heard)
        reader.close()
    assert [line.rpartition(" ")[2] for line in heard.text.splitlines()] == [str(number) for number in range(60)]


def test_who_reads_too_slowly_goes_on_with_the_oldest_that_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FULL", 100)
    path, heard = tmp_path / "office.log", Heard()
    with journal(path) as log:
        log.write("line 0")
        reader = _Reader(path)
        for number in range(1, 100):
            log.write(f"line {number}")
        reader.show(heard)
        reader.close()
    numbers = [int(line.rpartition(" ")[2]) for line in heard.text.splitlines()]
    assert numbers[0] == 0
    assert numbers[-1] == 99
    assert numbers[-10:] == list(range(90, 100))


def test_structured_and_in_the_background_too(home, cli):
    home.write(LAB)
    assert cli("up", "-d", "-q", "--log-format", "json", "--lab", "embedded", "office.yaml").code == 0
    assert cli("down").code == 0
    told = [json.loads(line) for line in cli("logs", "office").out.splitlines()]
    assert all({"time", "level", "message"} <= each.keys() for each in told)
    assert {"session", "tunnel", "state"} <= {each.get("type") for each in told}
    ready = next(each for each in told if each.get("state") == "ready" and each["type"] == "tunnel")
    assert (ready["name"], ready["proven"], ready["level"]) == ("db", True, "info")


@needs_sshd
def test_no_secret_is_in_it_nor_in_what_is_said_elsewhere(home, cli, monkeypatch):
    secret = "correct horse battery staple"
    monkeypatch.setenv("GATEWAY_PASSWORD", secret)
    with sshd(home.path) as bastion:
        entry = bastion.replace(f"identity: {home.path / 'user'}, agent: none", "password: {env: GATEWAY_PASSWORD}")
        home.write(
            f"servers: {{bastion: {{ssh: {{{entry}}}}}}}\ntargets: {{db: 'db.internal:5432'}}\n"
            "tunnels: {db: {listen: auto}}\n"
        )
        with home.started("up", "-vv", "--log-format", "json", "office.yaml", GATEWAY_PASSWORD=secret) as up:
            said = up.said("AUTH_FAILED")
            told = [cli(*question).out for question in (("status", "-o", "json"), ("logs",), ("env",))]
            said += up.ends(signal.SIGTERM)[1]
    told.append(cli("logs", "office").out)
    assert "AUTH_FAILED" in told[-1]
    assert not [text for text in (said, *told) if secret in text or "correct horse" in text]
