"""``orchestra explain``: why one host can or cannot reach another."""

import json
import re
import shlex
from textwrap import dedent

import pytest

from orchestra.cli.exits import Exit
from orchestra.cli.explain import command_for
from orchestra.cli.options import Source

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
    """
)
DENIED = OFFICE.replace("ports: [22]", "ports: [443]")


def test_yes(run_cli):
    ran = run_cli("explain", "office.yaml", "laptop", "desk-vnc", files={"office.yaml": OFFICE})
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert ran.out.startswith("✔ laptop → desk-vnc · reachable\n")
    assert "✔ rule 'ssh-in' of edge allows laptop to gateway (10.20.0.2) port 22/tcp (office.yaml:10)" in ran.out


def test_no(run_cli):
    ran = run_cli("explain", "office.yaml", "laptop", "desk-vnc", files={"office.yaml": DENIED})
    assert (ran.code, ran.err) == (Exit.UNREACHABLE, "")
    assert "nearest: rule 'ssh-in' (office.yaml:10)  from ✔  to ✔  port ✘ 443  protocol ✔" in ran.out


@pytest.mark.parametrize("extra", [(), ("-f", "office.yaml"), ("-f", "office.yaml", "-f", "more.yaml")])
def test_the_file_may_be_left_out(run_cli, monkeypatch, extra):
    files = {"orchestra.yaml": OFFICE, "office.yaml": OFFICE, "more.yaml": "x-more: 1\n"}
    assert run_cli("explain", *extra, "laptop", "desk-vnc", files=files).code == Exit.DONE
    monkeypatch.setenv("ORCHESTRA_FILE", "office.yaml")
    assert run_cli("explain", "laptop", "desk-vnc").code == Exit.DONE


def test_json_is_the_document_and_nothing_else(run_cli):
    ran = run_cli("explain", "f.yaml", "laptop", "desk-vnc", "-o", "json", files={"f.yaml": DENIED})
    document = json.loads(ran.out)
    assert (ran.code, ran.err) == (Exit.UNREACHABLE, "")
    assert (document["verdict"], document["missing"][0]["at"]) == ("unreachable", "edge")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("laptop",), "write FROM and TO, or FILE, FROM and TO"),
        (("f.yaml", "laptop", "desk-vnc", "more"), "write FROM and TO, or FILE, FROM and TO"),
        (("f.yaml", "lptop", "desk-vnc"), "f.yaml has no host or network 'lptop': did you mean 'laptop'?"),
        (("f.yaml", "laptop", "desk-vcn"), "f.yaml has no target and no host 'desk-vcn': did you mean 'desk-vnc'?"),
        (("f.yaml", "laptop", "laptop"), "write laptop:PORT"),
        (("f.yaml", "laptop", "desk-vnc", "--direct", "--via", "gateway"), "leave --via out"),
        (("f.yaml", "laptop", "desk-vnc", "--client", "nobody"), "has no client 'nobody'"),
        (("none.yaml", "laptop", "desk-vnc"), "none.yaml"),
    ],
)
def test_what_cannot_be_asked_is_usage(run_cli, words, said):
    ran = run_cli("explain", *words, files={"f.yaml": OFFICE})
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert said in ran.err


def test_nothing_is_run_connected_or_read(run_cli, tmp_path):
    """The secret's command would leave a file; the identity and the ssh_config do not exist."""
    ssh = f'{{password: {{command: [touch, "{tmp_path}/ran"]}}, identity: [/none/key]}}'
    secret = f"{{ssh: {ssh}, networks: {{office: 10.20.0.2}}}}"
    text = OFFICE.replace("{networks: {office: 10.20.0.2}}", secret)
    assert run_cli("explain", "f.yaml", "laptop", "desk-vnc", files={"f.yaml": text}).code == Exit.DONE
    assert not (tmp_path / "ran").exists()


def test_via_and_direct(run_cli):
    ran = run_cli("explain", "f.yaml", "laptop", "desk-vnc", "--via", "gateway", files={"f.yaml": OFFICE})
    assert ran.code == Exit.DONE
    ran = run_cli("explain", "f.yaml", "laptop", "desk-vnc", "--direct")
    assert ran.code == Exit.UNREACHABLE
    assert "no change   laptop → gateway can reach it" in ran.out


EXPECTED = """\
expect:
  - {from: laptop, to: desk-vnc, verdict: reachable}
  - {from: laptop, to: "10.20.0.30:5900", direct: true, verdict: reachable}
  - {from: office, to: desk-vnc, verdict: unreachable, via: [gateway]}
  - {from: office, to: laptop, direct: true, verdict: reachable}
"""


@pytest.mark.parametrize("command", [("validate",), ("plan",)])
@pytest.mark.parametrize("source", [("f.yaml",), ("-f", "f.yaml"), ()])
def test_a_failed_expectation_names_a_command_that_works(run_cli, command, source):
    """Every hint can be pasted, and says of the pair what the expectation did not expect."""
    files = {"f.yaml": DENIED + EXPECTED, "orchestra.yaml": DENIED + EXPECTED}
    said = run_cli(*command, *source, files=files).err
    hints = re.findall(r"`(orchestra explain [^`]+)` shows the whole path", said)
    assert len(hints) == 4
    for hint, code in zip(hints, (3, 3, 0, 3), strict=True):
        assert run_cli(*shlex.split(hint)[1:]).code == code, hint
    assert said.count("edge has no rule that allows laptop to") >= 2


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_failed_expectation_is_explained_whole_with_v(run_cli, command):
    files = {"f.yaml": DENIED + EXPECTED}
    assert "in the way" not in run_cli(command, "f.yaml", files=files).err
    whole = run_cli("explain", "f.yaml", "laptop", "desk-vnc").out
    assert whole in run_cli(command, "f.yaml", "-v").err


def test_the_command_in_a_hint_has_all_files_and_plugins():
    source = Source(file="c.yaml", files=["a.yaml", "b.yaml"], plugins=["mine"])
    words = command_for(source)
    assert words == ("orchestra", "explain", "--plugin", "mine", "-f", "a.yaml", "-f", "b.yaml", "c.yaml")
