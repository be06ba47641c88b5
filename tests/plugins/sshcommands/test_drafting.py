"""Invocations as one topology: what is the same is said once, and no two names are alike."""

from __future__ import annotations

from orchestra_plugins.sshcommands.drafting import drafted
from orchestra_plugins.sshcommands.forwards import parse
from orchestra_plugins.sshcommands.invocation import Invocation

from orchestra.loading.sshconfig.values import Jump


def invocation(host: str, *forwards: str, jumps: tuple[Jump, ...] = (), **ssh: object) -> Invocation:
    return Invocation(host=host, ssh=dict(ssh), jumps=jumps, forwards=[parse("L", text) for text in forwards])


def test_one_server_for_all_that_log_in_alike() -> None:
    jump = Jump("jump", "ci", 2222)
    made = drafted(
        [invocation("a", "1:x:1", jumps=(jump,)), invocation("a", "2:x:1", jumps=(jump,)), invocation("a", user="b")],
        "f",
    ).document
    assert made["servers"] == {"jump": "ci@jump:2222", "a": {"behind": "jump", "ssh": "a"}, "a-2": "b@a"}
    assert made["targets"] == {"x-1": {"behind": "a", "address": "x:1"}}
    assert made["tunnels"] == {"x-1": {"listen": "localhost:1"}, "x-1-2": {"listen": "localhost:2", "to": "x-1"}}


def test_no_two_names_give_one_variable() -> None:
    made = drafted([invocation("a", "1:x.y:1", "2:x-y:1", "3:x_y:1", "4:here:1")], "f").document
    assert list(made["tunnels"]) == ["x.y-1", "x-y-1-2", "x_y-1-3", "here-1"]


def test_a_jump_may_be_a_host_that_is_known() -> None:
    gate = invocation("10.0.0.1", config_host="gate", user="ops")
    made = drafted([invocation("a", jumps=(Jump("gate"),))], "f", {"gate": gate}).document
    assert made["servers"]["gate"] == {"ssh": {"host": "10.0.0.1", "config_host": "gate", "user": "ops"}}
    loop = Invocation(host="b", jumps=(Jump("b"),))
    assert set(drafted([loop], "f", {"b": loop}).document["servers"]) == {"b", "b-2", "b-3"}


def test_what_looks_like_an_option_or_a_command_is_left_out_and_said() -> None:
    made = drafted([invocation("a", user="x;id", identity=["-oX", "ok"])], "f")
    assert made.document["servers"] == {"a": "a"}
    assert made.notes["servers", "a"] == (
        "its user is not taken over: 'x;id' is not a user name",
        "its identity is not taken over: '-oX' looks like an option, not like a file",
    )
