from orchestra.engine.usage import Usage, Use


def test_a_session_is_used_from_the_first_beginning_to_the_last_end() -> None:
    ends: list[bool] = []
    usage = Usage(lambda: ends.append(usage.is_used("edge")))
    usage.begin(frozenset({"edge", "gateway"}))
    one = Use(usage, frozenset({"edge"}))
    one.begin()
    usage.end(frozenset({"edge", "gateway"}))
    assert (usage.is_used("edge"), usage.is_used("gateway")) == (True, False)
    one.end()
    assert not usage.is_used("edge")
    assert ends == [True, False]


def test_what_is_held_is_used_inside_and_whatever_ends_it() -> None:
    usage = Usage()
    try:
        with usage.held(frozenset({"edge"})):
            assert usage.is_used("edge")
            raise ValueError
    except ValueError:
        assert not usage.is_used("edge")
