"""The allow list: texts against texts."""

from __future__ import annotations

import pytest
from orchestra_plugins.socks.allow import parse_entry

from orchestra.model.address import AddressError


@pytest.mark.parametrize(
    ("entry", "yes", "no"),
    [
        (
            "10.20.0.0/24:*",
            ["10.20.0.1 1", "10.20.0.255 65535"],
            ["10.20.1.1 1", "db 1", "::1 1", "10.20.0.1.nip.io 1"],
        ),
        ("10.20.0.7:22", ["10.20.0.7 22"], ["10.20.0.7 23", "10.20.0.8 22"]),
        ("10.20.0.7:8000-8100", ["10.20.0.7 8000", "10.20.0.7 8100"], ["10.20.0.7 7999", "10.20.0.7 8101"]),
        ("[fd00:20::/64]:22", ["fd00:20::7 22"], ["fd00:21::7 22", "10.20.0.7 22"]),
        ("[fd00:20::7]:*", ["fd00:20::7 22", "FD00:20:0::7 22"], ["fd00:20::8 22"]),
        ("*.office.example:443", ["a.office.example 443", "A.B.Office.Example. 443"], ["office.example 443"]),
        ("*.office.example:443", [], ["a.office.example 80", "xoffice.example 443", "a.office.example.evil 443"]),
        ("*.7:*", ["x.7 1"], ["10.20.0.7 1", "10.20.0.7. 1"][:1]),
        ("db.internal:5432", ["db.internal 5432", "DB.Internal. 5432"], ["x.db.internal 5432", "db 5432"]),
        ("*:443", ["a 443", "10.0.0.1 443", "::1 443"], ["a 80"]),
        ("0.0.0.0/0:*", ["10.0.0.1 1", "127.0.0.1 1"], ["db 1", "fd00::1 1"]),
        ("[::/0]:*", ["fd00::1 1"], ["10.0.0.1 1", "db 1"]),
    ],
)
def test_names_match_names_and_addresses_addresses(entry: str, yes: list[str], no: list[str]) -> None:
    parsed = parse_entry(entry)

    def covered(text: str) -> bool:
        host, port = text.split()
        return parsed.covers(host, int(port))

    assert [text for text in yes if not covered(text)] == []
    assert [text for text in no if covered(text)] == []


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("db.internal", "write db.internal:PORT, or db.internal:* for every port"),
        ("10.20.0.0/24", "10.20.0.0/24:*"),
        ("[fd00::1]", "[fd00::1]:*"),
        ("fd00::/64:22", "[fd00::/64]:22"),
        ("10.20.0.7/24:22", "CIDR"),
        ("10.20.0.0/33:22", "CIDR"),
        ("db-*.example:22", "*.office.example"),
        ("*db.example:22", "*.office.example"),
        ("a b:22", "letters"),
        (":22", "letters"),
        ("*.:22", "letters"),
        ("db:0", "1 to 65535"),
        ("db:70000", "1 to 65535"),
        ("db:ssh", "1 to 65535"),
        ("db:1-", "1 to 65535"),
        ("db:20-10", "write 10-20"),
    ],
)
def test_what_is_wrong_with_an_entry_and_how_to_write_it(entry: str, hint: str) -> None:
    with pytest.raises(AddressError) as error:
        parse_entry(entry)
    assert error.value.suggestion
    assert hint in error.value.suggestion
