"""What ``up`` and ``run`` share: the refusal of a plan, and how they end."""

from __future__ import annotations

import io

import pytest

from orchestra.assembly.readiness import GaveUp, TakenDown
from orchestra.assembly.signals import Interrupted
from orchestra.cli.console import Channel, Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Selection, Source
from orchestra.cli.starting import Refused, Starting, prepare, told, with_default_lab
from orchestra.diagnostics import Code
from orchestra.errors import OrchestraError, RuntimeFailure, UsageError
from orchestra.lab.kind import LabKind
from orchestra.model.status import Status, TunnelStatus
from orchestra.render.style import PLAIN
from tests.cli.instances import LAB, UNREACHABLE


@pytest.fixture
def console():
    return Console(Channel(io.StringIO(), PLAIN), Channel(io.StringIO(), PLAIN))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["up", "--lab"], ["up", "--lab=embedded"]),
        (["up", "--lab", "office.yaml"], ["up", "--lab=embedded", "office.yaml"]),
        (["up", "--lab", "netns"], ["up", "--lab", "netns"]),
        (["run", "--lab", "--", "x", "--lab"], ["run", "--lab=embedded", "--", "x", "--lab"]),
        (["plan", "--lab"], ["plan", "--lab"]),
        ([], []),
    ],
)
def test_a_lab_without_a_kind_is_the_embedded_one(given: list[str], expected: list[str]) -> None:
    assert with_default_lab(given) == expected


def test_what_is_unreachable_is_said_and_refused_with_the_way_to_open_the_rest(tmp_path, console):
    (tmp_path / "office.yaml").write_text(UNREACHABLE)
    source = Source(file=str(tmp_path / "office.yaml"))
    with pytest.raises(Refused) as caught:
        prepare(console, source, Selection(), Starting())
    assert caught.value.code is Exit.UNREACHABLE
    said = console.err.stream.getvalue()
    assert "FIREWALL_" in said
    assert "--partial opens the tunnels that are reachable" in said

    launch = prepare(console, source, Selection(), Starting(partial=True))
    assert [tunnel.name for tunnel in launch.plan.tunnels] == ["shop"]
    with pytest.raises(Refused):
        prepare(console, source, Selection(tunnels=["desk"]), Starting(partial=True))


def test_a_launch_bears_the_name_that_was_given_or_that_of_the_file(tmp_path, console):
    (tmp_path / "office.yaml").write_text(LAB)
    source = Source(file=str(tmp_path / "office.yaml"))
    assert prepare(console, source, Selection(), Starting()).name == "office"
    launch = prepare(console, source, Selection(), Starting(), name="work")
    assert (launch.name, launch.plan.topology, launch.lab) == ("work", "office", None)


def test_what_a_check_runs_is_refused_unless_the_user_allows_it(tmp_path, console):
    file = tmp_path / "office.yaml"
    file.write_text(LAB.replace("listen: auto", "listen: auto, check: {type: command, run: [probe, a b]}"))
    with pytest.raises(UsageError, match=r"runs `probe 'a b'` on this machine: allow it with --allow-exec"):
        prepare(console, Source(file=str(file)), Selection(), Starting())
    launch = prepare(console, Source(file=str(file)), Selection(), Starting(allow_exec=True, lab=LabKind.EMBEDDED))
    assert ("runs", "probe 'a b'") in [(each.deed, each.what) for each in launch.disclosures]


WAITING = Status(
    topology="office",
    name="office",
    pid=1,
    version="0",
    file="f",
    state="starting",
    tunnels=(TunnelStatus(name="db", state="starting", proven=False),),
)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Refused(Exit.UNREACHABLE), 3, ""),
        (Interrupted(15), 143, ""),
        (GaveUp(WAITING, 3.0), 124, "error: office is not ready after 3 s\n  db: still starting\n"),
        (TakenDown("office was taken down"), 143, "error: office was taken down\n"),
        (UsageError("which one?"), 2, "error: which one?\n"),
        (RuntimeFailure(Code.AUTH_FAILED, "no key fits", suggestion="add one"), 4, "help: add one"),
        (RuntimeFailure(Code.LISTEN_IN_USE, "port 1 is taken"), 125, "port 1 is taken"),
        (OrchestraError("something else"), 125, "error: something else\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_how_it_ended_is_said_once_and_is_the_exit_code(console, error, code, said):
    def work():
        raise error

    assert told(console, work, failed=Exit.ORCHESTRA_FAILED) == code
    assert said in console.err.stream.getvalue()
    assert bool(said) == bool(console.err.stream.getvalue())


@pytest.mark.parametrize(
    ("target", "tunnel", "fits"),
    [
        ("{host: gw, address: unix:/run/x.sock}", "{listen: localhost:8080}", False),
        ("{host: here, address: 127.0.0.1:80}", "{at: gw, listen: unix:/run/y.sock}", False),
        ("{host: gw, address: 127.0.0.1:80}", "{listen: unix:/tmp/z.sock}", True),
    ],
)
def test_the_embedded_lab_says_that_its_hosts_have_no_unix_sockets(tmp_path, console, target, tunnel, fits):
    (tmp_path / "office.yaml").write_text(
        "networks: {lan: 10.0.0.0/24}\nclients: {here: {networks: {lan: 10.0.0.2}}}\n"
        f"servers: {{gw: {{networks: {{lan: 10.0.0.3}}}}}}\ntargets: {{web: {target}}}\ntunnels: {{web: {tunnel}}}\n"
    )
    source = Source(file=str(tmp_path / "office.yaml"))
    assert prepare(console, source, Selection(), Starting(lab=LabKind.NETNS)).lab is LabKind.NETNS
    if fits:
        assert prepare(console, source, Selection(), Starting(lab=LabKind.EMBEDDED)).lab is LabKind.EMBEDDED
    else:
        with pytest.raises(UsageError, match="no unix sockets, which web would need"):
            prepare(console, source, Selection(), Starting(lab=LabKind.EMBEDDED))
