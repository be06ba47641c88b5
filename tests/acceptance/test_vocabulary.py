"""The example that shows every word of the file, as it is documented: it loads, it plans, its expectations hold."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from orchestra.cli import main
from orchestra.loading import load
from orchestra.model.plan import Plan
from orchestra.planning import check_expectations, make_plan
from orchestra.render.plan_json import plan_json
from tests.loading.words import VOCABULARY

FILE = Path(__file__).parents[1] / "loading" / "vocabulary.yaml"


def planned(file: Path) -> Plan:
    loaded = load([str(file)], environ={"HOME": "/home/u"}, vocabulary=VOCABULARY)
    assert loaded.topology, loaded.diagnostics
    assert check_expectations(loaded.topology, vocabulary=VOCABULARY) == ()
    return make_plan(loaded.topology, vocabulary=VOCABULARY, profiles=("graphics",))


def test_every_address_of_its_plan() -> None:
    plan = planned(FILE)
    assert [d for d in plan.diagnostics if d.severity == "error"] == []
    (gateway,) = plan.sessions
    assert (gateway.dial.by, str(gateway.dial), gateway.dial.means) == ("laptop", "198.51.100.1:2222", "gateway")
    said = {
        tunnel.name: (tunnel.direction, tunnel.listen and tunnel.listen.addresses, str(tunnel.dial), tunnel.path)
        for tunnel in plan.tunnels
    }
    assert said == {
        "desk": ("local", ("127.0.0.1:5920", "[::1]:5920"), "10.20.0.30:5900", ("laptop", "gateway")),
        "callback": ("remote", ("10.20.0.2:8080",), "127.0.0.1:3000", ("gateway", "laptop")),
        "office-socks": ("local", ("127.0.0.1:1080", "[::1]:1080"), "None", ("laptop", "gateway")),
    }


def test_the_shipped_command_line_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the plugins that come along, and nothing else."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").touch(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(("validate", str(FILE))) == 0
    assert main(("plan", str(FILE), "--profile", "graphics")) == 0
    out, err = capsys.readouterr()
    assert "office-socks · laptop → gateway · socks · local" in out
    assert "error" not in err


def test_its_plan_does_not_depend_on_the_order_of_its_keys(tmp_path: Path) -> None:
    """Not the order of the rules: those are a list."""
    chance = random.Random(7)  # noqa: S311 - not for secrets

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            keys = list(value)
            chance.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(each) for each in value] if isinstance(value, list) else value

    for name in ("common.yaml", "vocabulary.yaml"):
        text = (FILE.parent / name).read_text()
        (tmp_path / name).write_text(yaml.dump(shuffled(yaml.safe_load(text)), sort_keys=False))
    one, other = plan_json(planned(FILE)), plan_json(planned(tmp_path / "vocabulary.yaml"))
    assert without_places(one) == without_places(other)


def without_places(document: dict[str, object]) -> dict[str, object]:
    """Diagnostics and reasons name lines, which move with the keys."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k not in {"file", "line", "column", "place"}}
        return [strip(each) for each in value] if isinstance(value, list) else value

    stripped = {key: strip(value) for key, value in document.items()}
    diagnostics = stripped["diagnostics"]
    assert isinstance(diagnostics, list)
    return stripped | {"diagnostics": sorted(diagnostics, key=str)}
