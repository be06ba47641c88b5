"""``up --http`` as its users have it: real processes, real sshd, curl's side of it, and a headless browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import new_home
from tests.cli.instances import LAB, Background, Home, needs_sshd, sshd, until
from tests.engine.ssh.sshd import descendants, name_of
from tests.render.picture.browser import browser

UP = ("up", "-d", "--http", "127.0.0.1:0", "office.yaml")
WITHIN = 15.0


def ask(url: str, path: str, **headers: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def invitation(said: str) -> str:
    """The address that ``up`` printed."""
    found = re.search(r"^page: (\S+)$", said, re.MULTILINE)
    assert found, said
    return found[1]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str]]:
    """One that runs in a lab, and the address of its page."""
    home = new_home(tmp_path_factory.mktemp("http"))
    home.write(LAB)
    try:
        done = home.call(*UP[:2], "--lab", "embedded", *UP[2:])
        assert done.returncode == 0, done.stderr
        yield home, invitation(done.stderr)
    finally:
        home.end()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = new_home(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browser() as opened:
        yield opened


def test_probes_need_no_token_and_the_rest_does(office: tuple[Home, str]) -> None:
    home, url = office
    token = (home.place().directory / "token").read_text("ascii").strip()
    assert ask(url, "/livez") == (200, "ok\n")
    assert ask(url, "/readyz") == (200, "ready\n[+]db ready\n")
    assert ask(url, "/readyz/db") == (200, "[+]db ready\n")
    assert [ask(url, path)[0] for path in ("/metrics", "/v1/status", "/v1/events")] == [401, 401, 401]
    code, metrics = ask(url, "/metrics", Authorization=f"Bearer {token}")
    assert (code, 'orchestra_tunnel_state{state="ready",tunnel="db"} 1.0' in metrics) == (200, True)
    assert re.search(r'orchestra_session_handshake_seconds_count\{[^}]*session="bastion"\} 1.0', metrics)
    assert ask(url, "/readyz", Host="evil.example")[0] == 421


def test_what_opens_it_is_in_no_log_and_no_argument(office: tuple[Home, str]) -> None:
    home, url = office
    token = (home.place().directory / "token").read_text("ascii").strip()
    ticket = urlsplit(url).fragment
    log = home.call("logs").stdout
    arguments = Path(f"/proc/{home.pid()}/cmdline").read_text()
    status = home.call("status", "-o", "json").stdout
    assert json.loads(status)["http"] == url.partition("#")[0]
    for text in (log, arguments, status):
        assert token not in text
        assert ticket not in text


def test_status_gives_another_address_for_another_browser(office: tuple[Home, str], page: Any) -> None:
    home, url = office
    another = home.call("status", "--url").stdout.strip()
    assert urlsplit(another).netloc == urlsplit(url).netloc
    assert another != url
    page.open(another)
    until(lambda: "✔ ready" in page.ask("document.body.innerText"))
    assert page.ask("location.hash") == ""
    arrows = "[...document.querySelectorAll('.arrow[id]')].map(each => [each.id, each.dataset.state])"
    assert dict(page.ask(arrows))["arrow-session-bastion"] == "open"
    assert {state for _, state in page.ask(arrows)} == {"open", "ready"}
    page.open(another.partition("#")[0])  # the same tab again: it is known
    until(lambda: "✔ ready" in page.ask("document.body.innerText"))
    page.ask("sessionStorage.clear()")
    page.open("about:blank")
    page.open(another)  # but a ticket opens once
    until(lambda: "used already" in page.ask("document.querySelector('#refused').innerText"))
    assert page.ask("document.querySelector('#main').hidden")


def test_the_page_takes_the_token_too(office: tuple[Home, str], page: Any) -> None:
    home, url = office
    page.open("about:blank")
    page.open(url.partition("#")[0])
    page.ask("sessionStorage.clear()")
    page.open("about:blank")
    page.open(url.partition("#")[0])
    until(lambda: not page.ask("document.querySelector('#login').hidden"))
    token = (home.place().directory / "token").read_text("ascii").strip()
    page.ask(f"document.querySelector('#token').value = {json.dumps(token)}")
    page.click("#login button")
    until(lambda: "✔ ready" in page.ask("document.body.innerText"))


HOSTILE = "<img src=x onerror=document.title=1><script>document.title=1</script>\x1b[2J\u202e&lt;b&gt;\n"


def kill_sshd(*, master: bool) -> None:
    """Kills what our own sshd has for its clients, and it too."""
    found = [pid for pid in descendants(os.getpid()) if name_of(pid).startswith("sshd")]
    for pid in found if master else found[1:]:
        with suppress(ProcessLookupError):  # one ends with the other that belongs to it
            os.kill(pid, signal.SIGKILL)


def within(seconds: float, true: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    until(lambda: true() or time.monotonic() > deadline)
    assert true()


@needs_sshd
def test_a_hop_is_shown_up_and_when_its_server_is_killed_down_with_the_error(home: Home, page: Any) -> None:
    (home.path / "banner").write_text(HOSTILE, "utf-8")
    folder = home.path / "<img src=x onerror=document.title=1>"
    folder.mkdir()
    with sshd(home.path, f"Banner={home.path / 'banner'}") as bastion:
        port = int(re.search(r"port: (\d+)", bastion)[1])  # type: ignore[index]
        rest = f"targets: {{db: {{host: bastion, address: '127.0.0.1:{port}'}}}}\ntunnels: {{db: {{listen: auto}}}}\n"
        (folder / "office.yaml").write_text(f"name: office\nservers: {{bastion: {{ssh: {{{bastion}}}}}}}\n{rest}")
        done = home.call(*UP[:-1], str(folder / "office.yaml"))
        assert done.returncode == 0, done.stderr
        url = invitation(done.stderr)
        page.open("about:blank")
        page.complaints.clear()
        page.open(url)
        state = "document.querySelector('#node-bastion')?.dataset.state"
        row = "document.querySelector('#sessions tr')?.innerText"
        within(WITHIN, lambda: page.ask(state) == "open")
        assert "✔ open" in page.ask(row)
        assert page.ask("document.querySelector('#node-bastion .sign').textContent") == "✔"
        kill_sshd(master=False)
        lately = "document.querySelector('#lately').innerText"
        within(WITHIN, lambda: "<img src=x onerror=document.title=1><script>" in page.ask(lately))
        assert not {"\x1b", "\u202e"} & set(page.ask(lately))
        kill_sshd(master=True)
        within(WITHIN, lambda: page.ask(state) == "retrying")
        within(WITHIN, lambda: "↻ retrying" in page.ask(row) and "CONNECT_REFUSED" in page.ask(row))
        assert "▲ degraded" in page.ask("document.querySelector('#tunnels tr').innerText")
        title = page.ask("document.querySelector('#node-bastion > title').textContent")
        assert re.match(r"bastion: retrying: \w+ ", title)
        assert ask(url, "/readyz")[0] == 503
        assert ask(url, "/livez")[0] == 200
    log = home.call("logs").stdout
    assert "<img src=x" in log
    assert not {"\x1b", "\u202e"} & set(log)
    assert folder.name in page.ask("document.querySelector('#about').textContent")
    assert page.ask("document.querySelectorAll('img, #lately script').length") == 0
    assert page.ask("document.title") == "▲ office · orchestra"
    assert "Content Security Policy" not in json.dumps(page.complaints)
    assert home.call("down").returncode == 0
    within(WITHIN, lambda: "gone" in page.ask("document.querySelector('#state').textContent"))


DIRECT = """\
clients: {laptop: {}}
targets: {NAMES}
defaults: {tunnels: {listen: auto, check: none}}
"""


def test_another_plan_is_another_picture(home: Home, page: Any) -> None:
    def write(*names: str) -> None:
        targets = ", ".join(
            f"{name}: {{host: laptop, address: '127.0.0.1:{port}'}}" for port, name in enumerate(names, 9)
        )
        home.write(DIRECT.replace("NAMES", targets))

    write("one")
    done = home.call(*UP)
    assert done.returncode == 0, done.stderr
    page.open("about:blank")
    page.open(invitation(done.stderr))
    until(lambda: "one" in (page.ask("document.querySelector('#picture').textContent") or ""))
    write("one", "another")
    assert home.call("reload").returncode == 0
    until(lambda: "another" in page.ask("document.querySelector('#picture').textContent"))
    until(lambda: "another plan: + tunnel another" in page.ask("document.querySelector('#lately').innerText"))
    assert page.ask("document.querySelectorAll('#tunnels tr').length") == 2


def test_beyond_loopback_it_takes_a_word_more(home: Home) -> None:
    home.write(LAB)
    refused = home.call("up", "-d", "--http", "0.0.0.0:0", "--lab", "embedded", "office.yaml")
    assert (refused.returncode, "--http-exposed" in refused.stderr) == (2, True)
    assert home.places == []


def test_a_token_of_one_s_own(home: Home) -> None:
    home.write(LAB)
    token = home.path / "token"
    token.write_text("0123456789abcdef\n")
    token.chmod(0o600)
    up = ("up", "-d", "--http", "127.0.0.1:0", "--http-token-file", str(token), "--lab", "embedded", "office.yaml")
    done = home.call(*up)
    assert done.returncode == 0, done.stderr
    url = invitation(done.stderr)
    assert ask(url, "/metrics", Authorization="Bearer 0123456789abcdef")[0] == 200
    assert not (home.place().directory / "token").exists()
    assert token.exists()


NEWER = (
    "import sys, orchestra; orchestra.__version__ = sys.argv.pop(1); from orchestra.cli import main; sys.exit(main())"
)


@pytest.mark.parametrize(("version", "works"), [("0.2.0", True), ("7.0.0", False)])
def test_commands_of_another_version_say_so(home: Home, version: str, works: bool) -> None:
    home.write(LAB)
    command = [sys.executable, "-c", NEWER, version, "up", "--lab", "embedded", "office.yaml"]
    with subprocess.Popen(
        command, cwd=home.path, env=home.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        up = Background(process)
        up.said("orchestra: ready")
        status, variables = home.call("status"), home.call("env")
        assert (status.returncode, f"office is run by orchestra {version}, and this" in status.stderr) == (0, True)
        assert (variables.returncode == 0, "ORCHESTRA_DB_PORT" in variables.stdout) == (works, works)
        assert works or "VERSION_MISMATCH" in variables.stderr
        assert home.call("down").returncode == 0
        assert up.ends()[0] == 0
