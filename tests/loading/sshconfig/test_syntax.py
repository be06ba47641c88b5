"""Lines and words; what ssh makes of the same text is asked in test_against_ssh."""

import random
import time

import pytest

from orchestra.loading.sshconfig.syntax import first_word, parse, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ("a", "b", "c")),
        ("a # b", ("a",)),
        ("a#b", ("a#b",)),
        ('"a b" \'c "d"\'', ("a b", 'c "d"')),
        ('a"b c"d', ("ab cd",)),
        (r'a\ b "c\"d" "e\ f"', ("a b", 'c"d', r"e\ f")),
        (r"a\b \\", (r"a\b", "\\")),
        ('""', ("",)),
        ("", ()),
        ('"a', None),
        ("a 'b", None),
    ],
)
def test_words(text, words):
    assert split(text) == words


def test_words_of_a_command_have_no_comments():
    assert split("a # b", comments=False) == ("a", "#", "b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Host gw", ("Host", "gw")),
        ("Host=gw", ("Host", "gw")),
        ("Host = gw", ("Host", "gw")),
        ("Host==gw", ("Host", "=gw")),
        ('"Host" gw', ("Host", "gw")),
        ('"Host gw', (None, None)),
        ("Host", ("Host", None)),
    ],
)
def test_a_keyword_and_its_rest(text, found):
    assert first_word(text) == found


def test_lines_know_where_they_stand():
    lines = parse("# nothing\n\n  User ann\r\nPort\nHost 'x\n")
    assert [(line.number, line.column, line.keyword, line.words) for line in lines] == [
        (3, 3, "user", ("ann",)),
        (4, 1, "port", ()),
        (5, 1, "host", ()),
    ]
    assert [line.fault for line in lines] == [None, "Port has no argument", "a quote is not closed"]


def test_a_null_byte_ends_a_line():
    assert [line.words for line in parse("User a\0b\nPort 1")] == [("a",), ("1",)]


def test_anything_is_read_in_time_that_is_linear():
    for unit in ('"', "'", "\\", "a ", '\\"', "=", "\"'", "# "):
        started = time.process_time()
        parse("Host " + unit * (200_000 // len(unit)))
        assert time.process_time() - started < 2


def test_junk_raises_nothing():
    chance = random.Random(7)  # noqa: S311
    for _ in range(300):
        junk = bytes(chance.choice(b"\x00\x1b\xff\"'\\= \t\n#ahHost") for _ in range(chance.randint(0, 200)))
        assert all(line.keyword for line in parse(junk.decode("utf-8", "surrogateescape")))
