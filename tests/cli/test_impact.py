"""``orchestra impact``: 0 when nothing is lost, 3 when something is."""

import json
from textwrap import dedent

from orchestra.cli.exits import Exit

TWO = dedent(
    """\
    networks: {internet: , private: 10.40.0.0/24}
    clients: {laptop: {networks: [internet]}}
    servers:
      bastion-a: {networks: {internet: 198.51.100.11, private: 10.40.0.11}}
      bastion-b: {networks: {internet: 203.0.113.12, private: 10.40.0.12}}
    targets:
      wiki: {networks: {private: 10.40.0.80}, address: 80}
    tunnels:
      wiki: {listen: localhost:8080}
    """
)
FILES = {"two.yaml": TWO}


def test_another_path(run_cli):
    ran = run_cli("impact", "two.yaml", "--without", "bastion-a", files=FILES)
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert ran.out.startswith("↷  wiki  laptop → bastion-b  instead of laptop → bastion-a\n")


def test_something_is_lost(run_cli):
    ran = run_cli("impact", "two.yaml", "--without", "bastion-a", "--without", "bastion-b", files=FILES)
    assert ran.code == Exit.UNREACHABLE
    assert "✘  wiki  lost: no other path: " in ran.out
    assert ran.out.endswith("without bastion-a, bastion-b: 1 lost\n")
    document = json.loads(run_cli("impact", "two.yaml", "--without", "wiki", "-o", "json").out)
    assert document["tunnels"][0]["reason"] == "wiki, its target, is gone"


def test_an_expectation_that_fails_without_them(run_cli):
    text = TWO.replace("tunnels:\n  wiki: {listen: localhost:8080}\n", "tunnels: {}\n")
    text += 'expect:\n  - {from: laptop, to: "10.40.0.80:81", verdict: reachable}\n'
    both = ("--without", "bastion-a", "--without", "bastion-b")
    ran = run_cli("impact", "f.yaml", *both, files={"f.yaml": text})
    assert ran.code == Exit.UNREACHABLE
    assert "f.yaml:10:5: error[EXPECT_FAILED]" in ran.err
    assert run_cli("impact", "f.yaml", *both[:2]).code == Exit.DONE


def test_bad_calls(run_cli):
    ran = run_cli("impact", "two.yaml", "--without", "bastion-c", files=FILES)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "two.yaml has no host 'bastion-c': did you mean 'bastion-b'?" in ran.err
    assert run_cli("impact", "two.yaml").code == Exit.USAGE
    assert run_cli("impact", "bad.yaml", "--without", "x", files={"bad.yaml": "sever: {}\n"}).code == Exit.USAGE
    several = TWO.replace(
        "laptop: {networks: [internet]}", "laptop: {networks: [internet]}, desk: {networks: [private]}"
    )
    ran = run_cli("impact", "c.yaml", "--without", "wiki", files={"c.yaml": several})
    assert ran.code == Exit.USAGE
    assert "AMBIGUOUS_CLIENT" in ran.err
