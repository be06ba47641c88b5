"""Names that are imported when they are used."""

import sys

import pytest

from orchestra.model.lazily import lazily


def test_a_module_is_imported_with_the_first_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "email.charset")
    find = lazily("email", {"Charset": "charset"})
    assert "email.charset" not in sys.modules
    assert getattr(find("Charset"), "__name__") == "Charset"  # noqa: B009 - it is an object
    assert "email.charset" in sys.modules


def test_other_names_are_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'email' has no attribute 'Nothing'"):
        lazily("email", {})("Nothing")
