"""What a peer sent never moves a cursor."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from orchestra.model.text import clean


def test_escapes_controls_and_direction_marks_become_visible_dots() -> None:
    assert clean("\x1b[2Jhello\x07 \u202eevil\u2066") == "·[2Jhello· ·evil·"
    assert clean(b"caf\xc3\xa9 \xff") == "café \ufffd"
    assert clean("one\r\ntwo\tthree") == "one two three"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_nothing_hidden_survives_and_nothing_grows(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in shown)


def test_what_shows_nothing_is_shown() -> None:
    for hidden in (
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u3164",
        "\uffa0",
        "\u034f",
        "\ufe0f",
        "\U000e0041",
        "\u2028",
        "\x7f",
        "\x9b",
    ):
        assert clean(f"a{hidden}b") == "a·b", ascii(hidden)


def test_blanks_of_all_kinds_are_blanks_and_line_breaks_are_one() -> None:
    assert clean("a\u00a0b\u2003c\u3000d") == "a b c d"
    assert clean("a\r\n\t\n b") == "a  b"
    assert clean("\n a \n") == "a"


def test_marks_stay_on_their_own_character() -> None:
    assert clean("n\u0303o") == "n\u0303o"
    assert clean("Z" + "\u0335" * 200 + "algo") == "Z" + "\u0335" * 3 + "algo"
    assert clean("\u0335x") == "·\u0335x"


def test_as_much_as_a_peer_sends_costs_no_more_than_what_is_shown() -> None:
    assert clean("x" * 10_000_000, 10) == "x" * 9 + "…"
    assert clean(b"\xff" * 10_000_000, 10) == "\ufffd" * 9 + "…"
