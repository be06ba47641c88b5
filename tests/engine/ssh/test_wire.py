from __future__ import annotations

import pytest

from orchestra.engine.ssh.wire import Wire, pack


def test_fields_are_read_in_order_and_not_beyond_the_end():
    fields = Wire(pack(b"ab") + pack(b"") + b"\0\1")
    assert (fields.string(), fields.text(), fields.number(2), bool(fields)) == (b"ab", "", 1, False)
    with pytest.raises(ValueError, match="in the middle"):
        Wire(b"\xff\xff\xff\xff").string()
