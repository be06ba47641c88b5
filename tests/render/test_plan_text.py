"""Plans as ladders: the whole text, and that colour changes no letter of it."""

import re
from dataclasses import replace
from textwrap import dedent

import pytest

from orchestra.render.plan_text import plan_text, totals
from orchestra.render.style import Style
from tests.render import plans

ALL = (
    plans.CALLBACK,
    plans.ELSEWHERE,
    plans.DEEP,
    plans.DESK,
    plans.PLAIN_DIAL,
    plans.SOCKS,
    plans.BLOCKED,
)


def block(text, name):
    """The ladder of one tunnel."""
    (found,) = (part for part in text.split("\n\n") if re.match(rf". {name} · ", part))
    return found


def dedented(text):
    """An expected block, as it stands in the test."""
    return dedent(text).strip("\n")


def test_a_ladder_says_who_dials_which_address_and_whom_it_means_there():
    assert plan_text(plans.plan(plans.DESK, sessions=(plans.GATEWAY,))) == dedented(
        """
        ✔ desk · laptop → desk-vnc · local
            listen  laptop   127.0.0.1:5920, [::1]:5920
            ssh     laptop   dials 198.51.100.1:2222 = gateway  edge publishes gateway:22 at port 2222 (office.yaml:21)
            dial    gateway  dials 10.20.0.30:5900 = desk-vnc
            or               laptop → other

        1 tunnel over 1 session
        """
    )


def test_shared_sessions_stand_at_the_top_as_a_tree_with_their_reasons_once():
    deep = plans.DEEP
    twin, far, near = (
        replace(deep, name="twin"),
        replace(deep, name="far", sessions=("gateway", "other"), exit="other"),
        replace(deep, name="near", sessions=("gateway", "other"), exit="other"),
    )
    text = plan_text(plans.plan(deep, twin, far, near, sessions=(plans.GATEWAY, plans.INNER, plans.OTHER)))
    assert text.split("\n\n")[0] == dedented(
        """
        shared sessions
            gateway   laptop   dials 198.51.100.1:2222 = gateway  for deep, twin, far, near
            │                  edge publishes gateway:22 at port 2222 (office.yaml:21)
            ├─ inner  gateway  dials [fd00::7]:22 = inner  for deep, twin
            └─ other  gateway  dials 10.20.0.9:22 = other  for far, near
        """
    )
    assert text.count("edge publishes") == 1


def test_many_users_of_a_session_are_counted():
    tunnels = [replace(plans.DESK, name=f"t{number}") for number in range(9)]
    assert "= gateway  for 9 tunnels\n" in plan_text(plans.plan(*tunnels))


@pytest.mark.parametrize(
    ("tunnel", "expected"),
    [
        (
            plans.CALLBACK,
            """
            ✔ callback · office → dev-web · remote
                use     office   dials 10.20.0.2:8080 = gateway
                listen  gateway  10.20.0.2:8080  ⚠ exposed beyond loopback
                ssh     laptop   dials 198.51.100.1:2222 = gateway
                dial    laptop   dials 127.0.0.1:3000 = laptop
            """,
        ),
        (
            plans.DEEP,
            """
            ✔ deep · laptop → db · local · optional
                listen  laptop   127.0.0.1:auto, [::1]:auto  any free port
                ssh     laptop   dials 198.51.100.1:2222 = gateway
                ssh     gateway  dials [fd00::7]:22 = inner
                dial    inner    dials db.internal:5432 = ? (not declared)
            """,
        ),
        (
            plans.SOCKS,
            """
            ✔ web · laptop → gateway · socks · local
                listen  laptop   unix:/run/web.sock
                ssh     laptop   dials 198.51.100.1:2222 = gateway
                dial    gateway  dials what each connection asks for
            """,
        ),
        (
            plans.PLAIN_DIAL,
            """
            ✔ near · laptop → printer · direct
                listen  laptop  127.0.0.1:9100
                dial    laptop  dials unix:/run/printer.sock = laptop
                                ⚠ unprotected: no SSH session carries it
            """,
        ),
        (
            plans.ELSEWHERE,
            """
            ○ ci-db · runner → db · elsewhere · held by runner, not opened here
                listen  runner  127.0.0.1:5432
            """,
        ),
        (
            plans.BLOCKED,
            """
            ✘ vault · laptop → vault · unreachable
                   laptop   listens on 127.0.0.1:8200
                ✔  laptop   dials 198.51.100.1:2222 = gateway
                ✘  gateway  dials 10.30.0.8:8200 = vault
                            ✘ core: no rule allows it (office.yaml:33)
                              nearest: rule 'web' differs in `ports` (office.yaml:36)
                what would have to change:
                  core would have to pass gateway → 10.30.0.8:8200 = vault, tcp
                  the sshd of gateway would have to permit dialing [::8]:8200 (PermitOpen)
            """,
        ),
    ],
    ids=lambda part: part.name if hasattr(part, "name") else "",
)
def test_ladders(tunnel, expected):
    assert block(plan_text(plans.plan(*ALL)), tunnel.name) == dedented(expected)


def test_totals():
    assert totals(plans.plan(*ALL)) == "7 tunnels over 2 sessions; 1 unreachable, 1 elsewhere"
    assert totals(plans.plan(plans.PLAIN_DIAL, sessions=())) == "1 tunnel"


def test_sessions_that_wait_for_a_failure_are_counted_apart():
    spare = replace(plans.DESK.alternatives[0], sessions=("inner",))
    text = plan_text(plans.plan(replace(plans.DESK, alternatives=(spare,))))
    assert "    or               laptop → other  when this one is down\n" in text
    assert text.endswith("1 tunnel over 1 session, 1 more for failover")


def test_a_transport_that_is_not_dialed_is_shown_by_its_own_text():
    dial = replace(plans.GATEWAY.dial, host=None, port=None, transport="kubectl", text="pod/gw", reasons=())
    text = plan_text(plans.plan(plans.DESK, sessions=(replace(plans.GATEWAY, dial=dial),)))
    assert "ssh     laptop   opens kubectl pod/gw = gateway" in text


def test_colour_changes_no_letter():
    plain, coloured = plan_text(plans.plan(*ALL)), plan_text(plans.plan(*ALL), Style(True))
    assert "\x1b[" not in plain
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_what_the_file_says_cannot_move_the_cursor():
    nasty = replace(plans.DESK, name="d\x1b[2Jesk", dial=replace(plans.DESK.dial, host="a\u202eb", means="x\ny"))
    text = plan_text(plans.plan(nasty))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "d·[2Jesk" in text
    assert "dials a·b:5900 = x y" in text
