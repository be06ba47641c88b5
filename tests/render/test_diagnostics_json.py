"""Diagnostics as JSON: every key is always there."""

from orchestra.diagnostics import Code, Diagnostic
from orchestra.render.diagnostics_json import diagnostics_json
from tests.render import plans


def test_what_is_not_known_is_null():
    bare = Diagnostic(code=Code.NO_SUCH_FILE, severity="error", message="x")
    known, unknown = diagnostics_json([plans.DENIED, bare])
    assert set(known) == set(unknown)
    assert {key for key, value in unknown.items() if value is None} == {
        *("tunnel", "file", "line", "column", "path", "suggestion")
    }
    assert (known["file"], known["line"], known["column"]) == ("office.yaml", 33, 5)
