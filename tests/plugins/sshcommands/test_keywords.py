"""Keywords of ssh_config as parts of an invocation."""

from __future__ import annotations

from typing import Any

import pytest
from orchestra_plugins.sshcommands.invocation import Invocation
from orchestra_plugins.sshcommands.keywords import apply, jumps

from orchestra.loading.sshconfig.values import BadValue, Jump


@pytest.mark.parametrize(
    ("name", "value", "ssh"),
    [
        ("user", "ops", {"user": "ops"}),
        ("port", "ssh", {"port": 22}),
        ("hostname", "10.0.0.1", {"host": "10.0.0.1"}),
        ("identityfile", "~/k", {"identity": ["~/k"]}),
        ("identityfile", "none", {}),
        ("userknownhostsfile", "/dev/null", {}),
        ("connecttimeout", "7", {"connect_timeout": "7s"}),
        ("stricthostkeychecking", "accept-new", {"host_key_policy": "accept-new"}),
        ("stricthostkeychecking", "yes", {"host_key_policy": "strict"}),
        ("stricthostkeychecking", "no", {}),
        ("compression", "yes", {}),
    ],
)
def test_settings(name: str, value: str, ssh: dict[str, Any]) -> None:
    made = Invocation(host="x")
    apply(made, name, value)
    assert made.ssh == ssh
    assert bool(made.notes) == (value in ("/dev/null", "no"))


def test_forwards_and_jumps() -> None:
    made = Invocation(host="x")
    for name, value in (("localforward", "1 a:2"), ("gatewayports", "yes"), ("proxyjump", "a,b@c:3")):
        apply(made, name, value)
    assert (len(made.forwards), made.exposed) == (1, True)
    assert made.jumps == (Jump("a"), Jump("c", "b", 3))
    assert jumps("none") == ()


@pytest.mark.parametrize(("name", "value"), [("port", "x"), ("proxyjump", "@"), ("localforward", "1")])
def test_what_is_wrong(name: str, value: str) -> None:
    with pytest.raises(BadValue):
        apply(Invocation(host="x"), name, value)
