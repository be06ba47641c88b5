"""How dials and listeners print, and how parts of a plan are found."""

import pytest

from orchestra.model.address import UnixPath
from orchestra.model.plan import Bind, Dial, Plan, PlannedListen, PlannedSession


def test_a_dial_prints_its_address_without_losing_ipv6() -> None:
    assert str(Dial(by="a", host="::1", port=22)) == "[::1]:22"
    assert str(Dial(by="a", host="db", port=5432)) == "db:5432"
    assert str(Dial(by="a", path="/run/s")) == "unix:/run/s"
    assert str(Dial(by="a", transport="kubectl", text="pod/x")) == "kubectl pod/x"


def test_listen_addresses_are_written_as_people_write_them() -> None:
    binds = (Bind(host="127.0.0.1", port=5920), Bind(host="::1", port=0), Bind(host="*", port=1))
    assert PlannedListen(at="a", session=None, binds=binds).addresses == ("127.0.0.1:5920", "[::1]:auto", "*:1")
    assert PlannedListen(at="a", session=None, unix=UnixPath("/s")).addresses == ("unix:/s",)


def test_parts_are_found_by_name() -> None:
    session = PlannedSession(id="s", server="s", via=None, dial=Dial(by="a", host="b", port=22), depth=1)
    plan = Plan(topology="t", client="a", sessions=(session,))
    assert plan.session("s") is session
    with pytest.raises(KeyError):
        plan.session("t")
    with pytest.raises(KeyError):
        plan.tunnel("t")
