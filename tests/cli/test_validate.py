"""``orchestra validate``: every problem at once, on standard error, with its place."""

import json
from textwrap import dedent

import pytest

from orchestra.cli.exits import Exit

GOOD = dedent(
    """\
    servers: {bastion: ci@bastion.example.com}
    targets: {db: "db.internal:5432"}
    """
)
BAD = dedent(
    """\
    sever:
      gw: alice@gw
    networks:
      office: 10.20.0.1/24
    servers:
      gateway: {ssh: {port: 70000}}
    targets:
      db: {host: gateway, address: 5432}
    tunnels:
      a: {to: dbb}
      b: {to: db, listen: 5432}
      c: {to: db, listen: 5432}
    """
)


def test_a_good_file(run_cli):
    ran = run_cli("validate", "f.yaml", files={"f.yaml": GOOD})
    assert (ran.code, ran.out) == (Exit.DONE, "")
    assert ran.err == "f.yaml: valid (2 hosts, 1 tunnel, 0 expectations)\n"
    assert run_cli("validate", "f.yaml", "-q").err == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "f.yaml:1:1: error["),
        ("", "f.yaml"),
        ("a:\n\tb: 1\n", "f.yaml:2:1: error["),
        ("a: [1\n", "f.yaml:"),
        (GOOD + "tunnels:\n  t: {to: db, listen: 22:22}\n", "f.yaml:4:"),
        (GOOD + "tunnels:\n  t: {to: db, listen: *:5920}\n", "f.yaml:4:"),
        (GOOD + "servers: {}\n", "error[DUPLICATE_KEY]"),
    ],
)
def test_files_that_are_no_topology(run_cli, text, said):
    ran = run_cli("validate", "f.yaml", files={"f.yaml": text})
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_no_such_file(run_cli):
    ran = run_cli("validate", "nowhere.yaml")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "error[NO_SUCH_FILE]" in ran.err
    assert "nowhere.yaml" in ran.err


def test_all_problems_at_once_each_with_its_place_and_a_caret(run_cli):
    ran = run_cli("validate", "f.yaml", files={"f.yaml": BAD})
    assert ran.code == Exit.USAGE
    for place in (
        "f.yaml:1:1: error[UNKNOWN_KEY]",
        "f.yaml:4:11: error[BAD_CIDR]",
        "f.yaml:6:25: error[BAD_VALUE]",
        "f.yaml:10:11: error[UNKNOWN_NAME]",
        "error[LISTEN_CONFLICT]",
    ):
        assert place in ran.err
    assert "  4 |   office: 10.20.0.1/24\n    |           ^^^^^^^^^^^^\n" in ran.err
    assert "  6 |   gateway: {ssh: {port: 70000}}\n    |                         ^^^^^\n" in ran.err
    assert "did you mean 'servers'?" in ran.err
    assert ran.err.endswith("\n5 errors\n")


def test_json_on_standard_output(run_cli):
    ran = run_cli("validate", "f.yaml", "-o", "json", files={"f.yaml": BAD})
    document = json.loads(ran.out)
    assert (ran.code, ran.err, document["valid"]) == (Exit.USAGE, "", False)
    assert {(d["code"], d["line"], d["column"]) for d in document["diagnostics"]} >= {
        ("UNKNOWN_KEY", 1, 1),
        ("BAD_CIDR", 4, 11),
    }
    good = run_cli("validate", "g.yaml", "-o", "json", files={"g.yaml": GOOD})
    assert (good.code, json.loads(good.out)["valid"]) == (Exit.DONE, True)


def test_expectations(run_cli):
    text = dedent(
        """\
        networks: {lan: 10.0.0.0/24}
        clients: {me: {networks: {lan: 10.0.0.1}}}
        targets: {web: {networks: {lan: 10.0.0.2}, address: 80}}
        expect:
          - {from: me, to: web, verdict: VERDICT}
        """
    )
    held = run_cli("validate", "f.yaml", files={"f.yaml": text.replace("VERDICT", "reachable")})
    assert (held.code, held.err) == (Exit.DONE, "f.yaml: valid (2 hosts, 1 tunnel, 1 expectation)\n")
    failed = run_cli("validate", "f.yaml", files={"f.yaml": text.replace("VERDICT", "unreachable")})
    assert failed.code == Exit.UNREACHABLE
    assert "f.yaml:5:5: error[EXPECT_FAILED]" in failed.err


LINT = dedent(
    """\
    networks: {internet: , office: 10.20.0.0/24, lab: 10.20.0.128/25}
    clients: {laptop: {networks: [internet]}}
    firewalls:
      edge:
        networks: {internet: 198.51.100.1, office: 10.20.0.1}
        rules:
          - {allow: {from: internet, to: gateway, ports: [22]}}
          - {allow: {from: any, to: office}}
          - {deny: {from: internet, to: desk, ports: [5900]}}
          - {allow: {from: office, to: desk}}
    servers: {gateway: {networks: {office: 10.20.0.2}}, spare: {networks: {office: 10.20.0.3}}}
    targets:
      desk: {networks: {office: 10.20.0.30}, address: 5900}
      lost: {networks: {lab: 10.20.0.130}, address: 5900}
    tunnels: {desk: {via: [gateway]}}
    """
)


def test_lint_warns_of_what_is_probably_a_mistake_and_tells_the_rest_with_v(run_cli):
    ran = run_cli("validate", "f.yaml", files={"f.yaml": LINT})
    assert ran.code == Exit.DONE
    lines = [line for line in ran.err.splitlines() if line.startswith("f.yaml:")]
    assert len(lines) == 3
    assert lines[0] == (
        "f.yaml:9:9: warning[RULE_SHADOWED] rule 3 (deny internet to desk port 5900) of edge never matches: "
        "rule 2 (allow any to office) (f.yaml:8:9) takes all of it first, so that what it would deny is allowed"
    )
    assert lines[1] == "f.yaml:14:3: warning[TARGET_UNREACHED] no client of this file reaches lost by any path"
    assert lines[2].startswith("f.yaml: valid (6 hosts, 1 tunnel, 0 expectations); -v shows ")
    told = run_cli("validate", "f.yaml", "-v").err
    for code in ("RULE_UNMATCHABLE", "RULE_UNUSED", "SERVER_UNUSED", "NETWORKS_OVERLAP"):
        assert f"info[{code}]" in told


def test_lint_is_silent_about_a_file_with_errors(run_cli):
    ran = run_cli("validate", "-v", "f.yaml", files={"f.yaml": LINT + "nonsense: 1\n"})
    assert ran.code == Exit.USAGE
    assert "RULE_" not in ran.err
