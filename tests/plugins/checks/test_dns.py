"""Questions, and what is no answer to them."""

from __future__ import annotations

import pytest
from orchestra_plugins.checks.dns import encoded, judge, query

from tests.plugins.checks.subjects import dns_answer, faults, said


def test_a_question_on_the_wire() -> None:
    message = "1234 0100 0001 0000 0000 0000 0464657363 076578616d706c65 00 0001 0001"
    assert query(0x1234, "desc.example", 1) == bytes.fromhex("001e" + message.replace(" ", ""))
    assert encoded("") == b"\0"
    assert encoded("bücher.example.") == b"\x0dxn--bcher-kva\x07example\0"


@pytest.mark.parametrize(
    ("answer", "name", "problem"),
    [
        ("1234 8185 0001 0000 0000 0000", None, None),
        ("1234 8180 0001 0001 0000 0000", "a.example", None),
        ("1234 8180 0001 0000 0000 0000", "a.example", "it knows a.example, but has no such record of it"),
        ("1234 8183 0001 0000 0000 0000", "a.example", "it answered NXDOMAIN for a.example"),
        ("1234 818b 0001 0000 0000 0000", "a.example", "it answered RCODE 11 for a.example"),
        ("4321 8180 0001 0001 0000 0000", None, "this is no answer of DNS: 'C!·········'"),
        ("1234 0100 0001 0000 0000 0000", None, "this is no answer of DNS: '·4··········'"),
        ("1234", None, "this is no answer of DNS: '·4'"),
    ],
)
def test_an_answer(answer: str, name: str | None, problem: str | None) -> None:
    found = judge(bytes.fromhex(answer), 0x1234, name)
    assert (found is None) == (problem is None)
    assert problem is None or (found or "").startswith(problem[:25])


def test_a_name_that_has_to_be_there() -> None:
    assert said("dns", dns_answer) is None
    assert said("dns", dns_answer, name="wiki.example") == "it answered REFUSED for wiki.example"


def test_what_a_file_may_say() -> None:
    assert faults("{type: dns, name: wiki.example, record: AAAA}") == []
    assert "too long" in faults(f"{{type: dns, name: {'x' * 64}.example}}")[0]
    assert faults("{type: dns, record: ANY}")[0].startswith("record: 'ANY' is not one of A, AAAA")
