"""Diagnostics: order, repetition, key paths."""

from orchestra.diagnostics import Code, Diagnostic, Place, has_errors, in_file_order, write_key_path


def problem(line: int | None, message: str = "m") -> Diagnostic:
    place = None if line is None else Place("a.yaml", line, 1)
    return Diagnostic(code=Code.BAD_VALUE, severity="error", message=message, place=place)


def test_they_come_in_the_order_of_the_file_once_each_and_placeless_ones_last() -> None:
    assert in_file_order([problem(None), problem(7), problem(2), problem(7)]) == (
        problem(2),
        problem(7),
        problem(None),
    )


def test_only_errors_are_errors() -> None:
    note = Diagnostic(code=Code.LISTEN_ANY_PORT, severity="info", message="m")
    assert not has_errors([note])
    assert has_errors([note, problem(1)])


def test_key_paths_are_written_as_people_write_them() -> None:
    assert write_key_path(("firewalls", "edge", "rules", 2, "allow")) == "firewalls.edge.rules[2].allow"
    assert write_key_path(()) == ""


def test_a_place_is_clickable() -> None:
    assert str(Place("office.yaml", 14, 7)) == "office.yaml:14:7"


def test_a_diagnostic_can_be_said_of_a_tunnel() -> None:
    assert problem(1).about("desk").tunnel == "desk"


def test_every_code_is_its_own_name() -> None:
    assert all(code.value == code.name for code in Code)
