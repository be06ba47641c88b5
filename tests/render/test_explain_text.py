"""Explanations as ladders: what a reader in a hurry needs first, then every step."""

from __future__ import annotations

import re
from dataclasses import replace
from textwrap import dedent

from orchestra.planning import explain
from orchestra.render.explain_text import explain_text
from orchestra.render.style import Style
from tests.planning.make import allow, firewall, network, server, target, topology
from tests.render.explanations import DB, INTERNET, LAN, LAPTOP, OPENED, VOCABULARY, apart, office, opened, shut

NO = """\
  ✘ ssh   laptop  dials 10.1.0.2:22 = gate
                  ✔ laptop leaves by internet
                  ✘ rule 'rest' of edge denies laptop to gate (10.1.0.2) port 22/tcp (t.yaml:12)
                    the opposite way passes: rule 'out' (t.yaml:11)
                    nearest: rule 'https' (t.yaml:10)  from ✔  to ✔  port ✘ 443  protocol ✔
                    nearest: rule 'out' (t.yaml:11)  from ✘ lan  to ✘ internet  port ✔  protocol ✔
  ✔ dial  gate    dials 10.1.0.9:80 = db
                  ✔ gate is on lan itself

  without any change:
    inside can listen at jump (localhost:10080), where laptop comes to it over its session to jump
      in the file: web-at-jump: {to: web, by: inside, at: jump, listen: "localhost:10080"}
      ✔ ssh  inside dials 203.0.113.9:22 = jump
      ✔ dial inside dials 10.1.0.9:80 = db
      ✔ ssh  laptop dials 203.0.113.9:22 = jump
      ✔ use  jump dials 127.0.0.1:10080 = jump
    db can listen at jump (localhost:10080), where laptop comes to it over its session to jump
    gate can listen at jump (localhost:10080), where laptop comes to it over its session to jump

  what would have to change:
    edge would have to pass laptop → 10.1.0.2:22 = gate, tcp
      as a rule in front of rule 'rest' (t.yaml:12): {allow: {from: laptop, to: gate, ports: [22]}}

  shorter, and why not:
    ✘ laptop dials 10.1.0.9:80 = db: rule 'rest' of edge denies laptop to db (10.1.0.9) port 80/tcp (t.yaml:12)"""


def test_no_says_what_is_in_the_way_and_what_needs_no_change_before_anything_else() -> None:
    assert explain_text(shut()).split("\n\n")[0] == dedent(
        """\
        ✘ laptop → web · unreachable
          in the way  rule 'rest' of edge denies laptop to gate (10.1.0.2) port 22/tcp (t.yaml:12)
          no change   inside can listen at jump (localhost:10080), where laptop comes to it over its session to jump"""
    )


def test_no_as_a_whole() -> None:
    assert explain_text(shut()).split("\n\n", 1)[1] == NO


def test_yes_as_a_whole() -> None:
    assert explain_text(opened()) == dedent(
        """\
        ✔ laptop → web · reachable
          path  laptop → gate dials 10.1.0.9:80 = db

          ✔ ssh   laptop  dials 10.1.0.2:22 = gate
                          ✔ laptop leaves by internet
                          ✔ rule 'ssh-in' of edge allows laptop to gate (10.1.0.2) port 22/tcp (t.yaml:10)
          ✔ dial  gate    dials 10.1.0.9:80 = db
                          ✔ gate is on lan itself

          shorter, and why not:
            ✘ laptop dials 10.1.0.9:80 = db: edge has no rule that allows laptop to db (10.1.0.9) port 80/tcp"""
    )


def test_where_no_permission_would_do_that_is_said_with_what_would() -> None:
    text = explain_text(apart())
    assert "    attach both to one network, or declare the firewall between their networks\n" in text
    assert "    no permission alone would do\n" in text
    assert text.endswith("  assumed:\n    ASSUMED_SSH_PORT  gate without a port means its SSH server, port 22")


def test_a_rule_that_stands_too_late_is_told_so() -> None:
    late = firewall("edge", {"internet": "198.51.100.1", "lan": "10.1.0.1"}, allow("any", "gate", 22, name="late"))
    denied = replace(late.rules[0], action="deny", name="first")
    text = explain_text(
        explain(office(replace(late, rules=(denied, late.rules[0]))), "laptop", "web", vocabulary=VOCABULARY)
    )
    assert "nearest: rule 'late' (t.yaml:10)  matches, but stands after the rule that denies" in text


def test_a_shorter_path_that_costs_more() -> None:
    far = network("far", "10.2.0.0/24")
    step = server("step", {"internet": "203.0.113.5", "far": "10.2.0.2"})
    last = server("last", {"far": "10.2.0.3", "lan": "10.1.0.3"})
    dear = server("dear", {"internet": "203.0.113.6", "lan": "10.1.0.6"}, cost=9)
    source = topology(INTERNET, LAN, far, LAPTOP, DB, step, last, dear, target("web", "80", "db"))
    text = explain_text(explain(source, "laptop", "web", vocabulary=VOCABULARY))
    assert "✔ laptop → dear: dear dials 10.1.0.9:80 = db: would do, but costs 9 and not 0" in text


def test_what_sshd_would_have_to_permit_is_no_rule() -> None:
    inner = server("inner", {"internet": "203.0.113.6", "lan": "10.1.0.6"}, forwarding={"permit_open": ("10.1.0.7:1",)})
    source = topology(INTERNET, LAN, LAPTOP, DB, inner, target("web", "80", "db"))
    text = explain_text(explain(source, "laptop", "web", vocabulary=VOCABULARY))
    assert "the sshd of inner would have to permit dialing 10.1.0.9:80 (PermitOpen)" in text
    assert "as a rule" not in text


def test_what_was_asked_beside_the_pair_stands_in_the_headline() -> None:
    found = explain(office(OPENED), "laptop", "web", vocabulary=VOCABULARY, via=("gate",))
    assert explain_text(found).startswith("✔ laptop → web · reachable · via gate\n")


def test_a_bare_dial_is_marked_as_unprotected() -> None:
    found = explain(office(), "inside", "web", vocabulary=VOCABULARY, direct=True)
    lines = explain_text(found).splitlines()
    assert lines[0] == "✔ inside → web · reachable · by one dial"
    assert lines[2].strip() == "⚠ unprotected: no SSH session carries it"


def test_colour_changes_nothing_but_the_colour() -> None:
    painted = explain_text(shut(), Style(colour=True))
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == explain_text(shut())


def test_text_of_the_file_moves_no_cursor() -> None:
    assert "\x1b" not in explain_text(replace(shut(), from_="lap\x1b[2Jtop"))
