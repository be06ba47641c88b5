"""What a peer sent never moves a cursor."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from orchestra.model.text import clean


def test_escapes_controls_and_direction_marks_become_visible_dots() -> None:
    assert clean("\x1b[2Jhello\x07 \u202eevil\u2066") == "·[2Jhello· ·evil·"
    assert clean(b"caf\xc3\xa9 \xff") == "café \ufffd"
    assert clean("one\r\ntwo\tthree") == "one  two three"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_nothing_hidden_survives_and_nothing_grows(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in shown)
