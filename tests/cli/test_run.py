from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import pytest

from tests.cli.conftest import Ran
from tests.cli.instances import LAB, Home, closed_port, refusing

Cli = Callable[..., Ran]
IMPLICIT = LAB.partition("tunnels:")[0]


@pytest.fixture
def office(home: Home) -> Home:
    (home.path / "office.yaml").write_text(LAB)
    return home


@pytest.fixture
def refused(home: Home, closed: int) -> Home:
    home.write(refusing(closed))
    return home


def test_the_command_has_the_tunnels_in_its_environment_and_they_work(office: Home) -> None:
    program = (
        "import os, socket, sys\n"
        "address = os.environ['ORCHESTRA_DB_HOST'], int(os.environ['ORCHESTRA_DB_PORT'])\n"
        "with socket.create_connection(address, timeout=20) as connected:\n"
        "    connected.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
        "    print(b''.join(iter(lambda: connected.recv(4096), b'')).decode())\n"
        "print(os.environ['DATABASE_URL'], os.environ['ORCHESTRA_DB_ADDRESS'])\n"
    )
    done = office.orchestra("run", "--lab", "embedded", "office.yaml", "--", sys.executable, "-Sc", program)
    assert done.returncode == 0, done.stderr
    assert "db" in done.stdout
    url, address = done.stdout.split()[-2:]
    assert url == f"postgresql://{address}/app"
    assert "tunnel db: ready" in done.stderr
    assert office.places == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -KILL $$"], 137),
        (["no-such-command-anywhere"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_the_exit_code_is_the_commands_own(office: Home, cli: Cli, command: list[str], code: int) -> None:
    assert cli("run", "-q", "--lab", "embedded", "office.yaml", "--", *command).code == code


def test_without_a_command_it_says_how_to_write_one(office: Home, cli: Cli) -> None:
    done = cli("run", "office.yaml")
    assert (done.code, "after --" in done.err) == (2, True)


def test_two_run_one_file_at_once_at_ports_of_their_own(home: Home) -> None:
    (home.path / "office.yaml").write_text(IMPLICIT)
    command = (
        "run",
        "--lab",
        "embedded",
        "office.yaml",
        "--",
        "sh",
        "-c",
        "echo port $ORCHESTRA_DB_PORT; exec sleep 40",
    )
    with home.started(*command) as one, home.started(*command) as two:
        ports = {up.said("port ").split()[-1] for up in (one, two)}
        assert len(ports) == 2
        for up in (one, two):
            up.process.terminate()  # which is for the command
        assert {up.ends()[0] for up in (one, two)} == {143}
    assert home.places == []


def test_signals_are_the_commands(office: Home) -> None:
    script = "trap 'echo trapped; exit 9' USR1; echo waiting; while :; do sleep 0.05; done"
    with office.started("run", "-q", "--lab", "embedded", "office.yaml", "--", "sh", "-c", script) as run:
        run.said("waiting")
        code, rest = run.ends(signal.SIGUSR1)
    assert (code, rest) == (9, "trapped\n")


def test_a_command_that_will_not_end_is_killed_when_it_is_asked_twice(office: Home) -> None:
    script = "trap 'echo deaf' TERM; echo waiting; while :; do sleep 0.05; done"
    with office.started("run", "-q", "--lab", "embedded", "office.yaml", "--", "sh", "-c", script) as run:
        run.said("waiting")
        run.process.send_signal(signal.SIGTERM)
        run.said("deaf")
        assert run.ends(signal.SIGTERM)[0] == 137
    assert office.places == []


def test_another_one_on_a_fixed_port_is_told_who_holds_it(home: Home) -> None:
    with closed_port() as port:
        pass
    home.write(LAB.replace("listen: auto", f'listen: "127.0.0.1:{port}"'))
    with home.started(
        "run", "-q", "--lab", "embedded", "office.yaml", "--", "sh", "-c", "echo up; exec sleep 40"
    ) as one:
        one.said("up")
        two = home.orchestra("run", "--lab", "embedded", "--fail-fast", "office.yaml", "--", "true")
        assert one.ends(signal.SIGTERM)[0] == 143
    assert two.returncode == 125
    assert f"held by orchestra run office.yaml (pid {one.process.pid})" in two.stderr


def test_what_is_in_no_profile_that_was_asked_for_is_not_opened(cli: Cli) -> None:
    files = {"office.yaml": LAB.replace("listen: auto", "listen: auto, profiles: [night]")}
    environ = ("office.yaml", "--", sys.executable, "-c", "import os; print('ORCHESTRA_DB_PORT' in os.environ)")
    refused = cli("run", "--lab", "embedded", *environ, files=files)
    assert (refused.code, "has a profile" in refused.err) == (2, True)
    misspelt = cli("run", "--lab", "embedded", "--profile", "nigth", *environ)
    assert (misspelt.code, "did you mean 'night'?" in misspelt.err) == (2, True)
    for chosen in (("--profile", "night"), ("-t", "db")):
        assert cli("run", "-q", "--lab", "embedded", *chosen, *environ).code == 0


def test_interrupted_before_it_is_ready_the_command_is_never_started(refused: Home) -> None:
    with refused.started("run", "office.yaml", "--", "echo", "started") as run:
        run.said("CONNECT_REFUSED")
        code, rest = run.ends(signal.SIGINT)
    assert code == 130
    assert "started" not in rest


def test_a_timeout_says_what_is_waited_for(refused: Home, cli: Cli) -> None:
    done = cli("run", "--timeout", "300ms", "office.yaml", "--", "touch", "started")
    assert (done.code, done.out) == (124, "")
    assert "office is not ready after 0.3 s" in done.err
    assert not (refused.path / "started").exists()


def test_what_orchestra_could_not_do_is_told_from_what_the_command_could_not(refused: Home, cli: Cli) -> None:
    done = refused.orchestra("run", "--fail-fast", "office.yaml", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (125, "")
    assert "CONNECT_REFUSED" in done.stderr
