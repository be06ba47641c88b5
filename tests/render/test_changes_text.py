from orchestra.model.changes import Change, Changes, Difference
from orchestra.render.changes_text import changes_text, totals
from orchestra.render.style import Style

USER = Difference(field="ssh.user", before="", after="bob")
CHANGES = Changes(
    items=(
        Change(what="session", name="gateway", action="change", text="laptop dials gw:22", differences=(USER,)),
        Change(what="session", name="old", action="remove", text="laptop dials old:22"),
        Change(what="session", name="vault", action="keep", text="laptop dials vault:22"),
        Change(what="tunnel", name="wiki", action="add", text="127.0.0.1:8080 → wiki"),
    )
)


def test_what_changes_stands_with_its_sign_and_the_fields_that_differ():
    assert changes_text(CHANGES) == (
        "  ~ session gateway  laptop dials gw:22\n"
        "      ssh.user       (none) → bob\n"
        "  - session old      laptop dials old:22\n"
        "  + tunnel  wiki     127.0.0.1:8080 → wiki\n"
        "  = session vault\n"
        "\n"
        "1 to add, 1 to change, 1 to remove; 1 kept"
    )


def test_that_nothing_changes_is_said():
    kept = Changes(items=(CHANGES.items[2],))
    assert changes_text(kept) == "  = session vault\n\nnothing changes; 1 kept"
    assert totals(Changes()) == "nothing changes"


def test_of_many_that_are_kept_only_the_number_is_said():
    many = Changes(items=tuple(Change(what="tunnel", name=f"t{n}", action="keep") for n in range(50)))
    assert changes_text(many) == "nothing changes; 50 kept"


def test_what_a_file_says_cannot_move_the_cursor():
    evil = Change(what="tunnel", name="a\x1b[2J", action="add", text="\x1b]0;x\x07")
    assert "\x1b" not in changes_text(Changes(items=(evil,)))
    assert "\x1b[32m+" in changes_text(CHANGES, Style(colour=True))
