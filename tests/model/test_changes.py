from orchestra.model.changes import Change, Changes


def test_there_are_changes_where_something_is_not_kept() -> None:
    kept = Change(what="session", name="edge", action="keep")
    assert not Changes(items=(kept,))
    assert Changes(items=(kept, Change(what="tunnel", name="desk", action="add")))


def test_changes_are_counted_by_what_becomes_of_each() -> None:
    actions = ("add", "add", "keep")
    found = Changes(items=tuple(Change(what="tunnel", name=str(n), action=a) for n, a in enumerate(actions)))  # type: ignore[arg-type]
    assert dict(found.counts) == {"add": 2, "keep": 1}
