"""``orchestra plan``: the ladder on standard output, the problems on standard error, the verdict in the exit code."""

import io
import json
import re
from textwrap import dedent

import pytest

from orchestra.cli.exits import Exit

SHORTEST = 'servers: {bastion: ci@bastion.example.com}\ntargets: {db: "db.internal:5432"}\n'
OFFICE = dedent(
    """\
    networks:
      internet:
      office: 10.20.0.0/24
    clients:
      laptop: {networks: [internet]}
    firewalls:
      edge:
        networks: {internet: 198.51.100.1, office: 10.20.0.1}
        rules:
          - {name: ssh-in, allow: {from: internet, to: gateway, ports: [22]}}
    servers:
      gateway: {networks: {office: 10.20.0.2}}
    targets:
      desk-vnc: {networks: {office: 10.20.0.30}, address: 5900}
    tunnels:
      desk: {to: desk-vnc, listen: localhost:5920}
    """
)
DENIED = OFFICE.replace("ports: [22]", "ports: [443]")


def test_the_shortest_file(run_cli):
    ran = run_cli("plan", "office.yaml", files={"office.yaml": SHORTEST})
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert ran.out.startswith("✔ db · localhost → db · local\n")
    assert "bastion    dials db.internal:5432 = db" in ran.out
    assert ran.out.endswith("\n1 tunnel over 1 session\n")


def test_the_file_is_found_in_a_parent(run_cli, tmp_path, monkeypatch):
    run_cli("version", files={"orchestra.yaml": SHORTEST, "deep/er/x": ""})
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert run_cli("plan").code == Exit.DONE


def test_the_file_is_named_by_the_environment(run_cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRA_FILE", "other.yaml")
    assert run_cli("plan", files={"other.yaml": SHORTEST}).code == Exit.DONE


def test_a_dash_is_standard_input(run_cli, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SHORTEST.encode())))
    assert run_cli("plan", "-").code == Exit.DONE
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: \xff\n")))
    ran = run_cli("plan", "-")
    assert ran.code == Exit.USAGE
    assert "<stdin>:1:4: error[YAML_SYNTAX]" in ran.err


def test_later_files_win(run_cli):
    files = {"a.yaml": OFFICE, "b.yaml": "tunnels: {desk: {listen: localhost:6000}}\n"}
    ran = run_cli("plan", "-f", "a.yaml", "-f", "b.yaml", files=files)
    assert ran.code == Exit.DONE
    assert "127.0.0.1:6000" in ran.out


def test_without_a_file(run_cli):
    ran = run_cli("plan")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err.startswith("error: no topology file")
    assert "orchestra init" in ran.err


def test_json_is_the_document_and_nothing_else(run_cli):
    ran = run_cli("plan", "office.yaml", "-o", "json", files={"office.yaml": OFFICE})
    document = json.loads(ran.out)
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert (document["format_version"], document["topology"], document["client"]) == (1, "office", "laptop")
    (tunnel,) = document["tunnels"]
    assert (tunnel["verdict"], tunnel["path"], tunnel["dial"]["host"]) == (
        "reachable",
        ["laptop", "gateway"],
        "10.20.0.30",
    )


def test_an_unreachable_tunnel_names_the_firewall_and_the_line(run_cli):
    ran = run_cli("plan", "office.yaml", files={"office.yaml": DENIED})
    assert ran.code == Exit.UNREACHABLE
    assert "✘ desk · laptop → desk-vnc · unreachable" in ran.out
    assert "edge would have to pass" in ran.out
    assert "1 tunnel; 1 unreachable" in ran.out.splitlines()[-1]
    assert re.search(r"^office\.yaml:\d+:\d+: error\[FIREWALL_\w+\] ", ran.err, re.MULTILINE)
    document = json.loads(run_cli("plan", "office.yaml", "-o", "json").out)
    assert document["tunnels"][0]["missing"][0]["at"] == "edge"


def test_a_failed_expectation_ends_with_3(run_cli):
    text = OFFICE + "expect:\n  - {from: laptop, to: desk-vnc, verdict: unreachable}\n"
    ran = run_cli("plan", "office.yaml", files={"office.yaml": text})
    assert ran.code == Exit.UNREACHABLE
    assert "error[EXPECT_FAILED]" in ran.err
    assert "✔ desk" in ran.out


def test_only_the_tunnels_that_are_named(run_cli):
    text = 'servers: {b: b.example}\ntargets: {x: "x:1000", y: "y:2000", z: "z:3000"}\n'
    ran = run_cli("plan", "f.yaml", "-t", "x", "-t", "z", files={"f.yaml": text})
    assert ran.code == Exit.DONE
    assert [line for line in ran.out.splitlines() if line.startswith("✔")] == [
        "✔ x · localhost → x · local",
        "✔ z · localhost → z · local",
    ]
    assert "2 tunnels over 1 session" in ran.out
    assert run_cli("plan", "f.yaml", "-t", "nobody").code == Exit.USAGE


def test_another_client(run_cli):
    text = OFFICE.replace(
        "laptop: {networks: [internet]}", "laptop: {networks: [internet]}\n  desk: {networks: [office]}"
    )
    files = {"f.yaml": text.replace("{to: desk-vnc,", "{to: desk-vnc, from: laptop,")}
    assert run_cli("plan", "f.yaml", files=files).code == Exit.USAGE
    ran = run_cli("plan", "f.yaml", "--client", "desk")
    assert ran.code == Exit.DONE
    assert "held by laptop" in ran.out
    assert run_cli("plan", "f.yaml", "--client", "nobody").code == Exit.USAGE


def test_a_file_that_cannot_be_used_has_no_plan(run_cli):
    ran = run_cli("plan", "f.yaml", files={"f.yaml": "sever: {}\n"})
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "f.yaml:1:1: error[UNKNOWN_KEY]" in ran.err
    assert "  1 | sever: {}" in ran.err


@pytest.mark.parametrize(("colour", "coloured"), [("always", True), ("never", False), ("auto", False)])
def test_colour_as_asked_for(run_cli, colour, coloured):
    ran = run_cli("plan", "f.yaml", "--color", colour, files={"f.yaml": DENIED})
    assert ("\x1b[" in ran.out, "\x1b[" in ran.err) == (coloured, coloured)


def test_quiet_and_verbose(run_cli):
    files = {"f.yaml": OFFICE.replace("localhost:5920", '"*:5920"')}
    assert "LISTEN_EXPOSED" in run_cli("plan", "f.yaml", files=files).err
    assert run_cli("plan", "f.yaml", "-q").err == ""
    shortest = run_cli("plan", "s.yaml", "-v", files={"s.yaml": SHORTEST})
    assert "info[ASSUMED_" in shortest.err


REFUSED = "Host bad\n  RefuseConnection gone\nHost good\n  User ops\n"


@pytest.mark.parametrize(
    ("server", "code", "severity"), [("bad", Exit.UNREACHABLE, "error"), ("good", Exit.DONE, "warning")]
)
def test_what_ssh_config_refuses_hurts_who_needs_it(run_cli, tmp_path, monkeypatch, server, code, severity):
    monkeypatch.setenv("HOME", str(tmp_path))
    topology = f"servers: {{bad: , good: }}\ntargets: {{db: {{host: {server}, address: '127.0.0.1:5432'}}}}\n"
    ran = run_cli("plan", "-v", "f.yaml", files={"f.yaml": topology, ".ssh/config": REFUSED})
    assert ran.code == code
    assert f"config:2:3: {severity}[SSH_CONFIG_REFUSED]" in ran.err
    assert ran.err.count("RefuseConnection: gone") == 1
    assert ("user" in ran.out and f"ops {tmp_path}/.ssh/config:4" in " ".join(ran.out.split())) == (server == "good")


def test_the_document_says_where_settings_come_from(run_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    files = {"f.yaml": "servers: {gw: }\ntargets: {db: 'db:5432'}\n", ".ssh/config": "User ops\nProxyJump hop\n"}
    ran = run_cli("plan", "-o", "json", "f.yaml", files=files)
    assert ran.code == Exit.UNREACHABLE  # hop goes through hop
    files[".ssh/config"] = "User ops\nHost gw\nProxyJump hop\n"
    document = json.loads(run_cli("plan", "-o", "json", "f.yaml", files=files).out)
    assert [session["server"] for session in document["sessions"]] == ["hop", "gw"]
    for setting, value, line in (("behind", "hop", 3), ("user", "ops", 1)):
        origin = {"setting": setting, "value": value, "from": f"{tmp_path}/.ssh/config:{line}"}
        assert origin in document["sessions"][1]["origins"]


@pytest.mark.parametrize(
    ("value", "options", "may"), [("", (), False), ("0", (), False), ("1", (), True), ("", ("--allow-exec",), True)]
)
def test_commands_of_ssh_config_run_only_when_they_may(run_cli, monkeypatch, value, options, may):
    monkeypatch.setenv("ORCHESTRA_ALLOW_EXEC", value)
    topology = "servers: {bastion: {ssh: {host: bastion.example.com, ssh_config: ./config}}}\ntargets: {db: db:5432}\n"
    files = {"office.yaml": topology, "config": "Match exec true\n  Port 2222\n"}
    ran = run_cli("plan", "office.yaml", *options, files=files)
    assert ("bastion.example.com:2222" in ran.out) == may, ran
    assert ("--allow-exec" in ran.err) != may
