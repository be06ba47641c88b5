"""The template of a plugin is a package: it is built and installed, its tests pass, and a tunnel runs through it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_documents import ROOT

TEXT = """
servers: {bastion: {ssh: bastion.example.com}}
targets: {wiki: {host: bastion, address: "127.0.0.1:80"}}
tunnels:
  wiki: {kind: guarded, listen: auto, guarded: {allow: [127.0.0.0/8, "::1/128"]}}
  none: {to: wiki, kind: guarded, listen: auto, guarded: {allow: [192.0.2.0/24]}}
"""
CLIENT = """
import os, socket

def ask(name):
    with socket.create_connection((os.environ[f"ORCHESTRA_{name}_HOST"], os.environ[f"ORCHESTRA_{name}_PORT"])) as s:
        try:
            s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return s.recv(100)
        except ConnectionError:
            return b"reset"

print(ask("WIKI")[:5].decode(), ask("NONE").decode())
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the built package is installed, beside ours."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copytree(ROOT / "template", folder / "source", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", str(folder), str(folder / "source")]
    subprocess.run([*pip, *build], check=True, capture_output=True, timeout=50)
    (wheel,) = folder.glob("orchestra_guarded-*.whl")
    install = ["install", "--no-deps", "--no-index", "--target", str(folder / "installed"), str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True, timeout=50)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRA_", "XDG_", "PYTHON"))}
    (folder / "run").mkdir(mode=0o700)
    return kept | {"PYTHONPATH": str(folder / "installed"), "XDG_RUNTIME_DIR": str(folder / "run"), "HOME": str(folder)}


def run(environment: dict[str, str], *command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_found_by_its_entry_point(environment: dict[str, str], tmp_path: Path) -> None:
    listed = json.loads(run(environment, "orchestra", "plugins", "-o", "json", cwd=tmp_path))["plugins"]
    (found,) = [plugin for plugin in listed if plugin["name"] == "guarded"]
    assert (found["origin"], found["version"], found["error"]) == ("orchestra-guarded", "0.1.0", None)
    assert found["adds"] == ["kind guarded", "check guarded"]


def test_a_tunnel_runs_through_it(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(TEXT)
    (tmp_path / "client.py").write_text(CLIENT)
    said = run(
        environment, "orchestra", "run", "--lab=embedded", "f.yaml", "--", sys.executable, "client.py", cwd=tmp_path
    )
    assert said == "HTTP/ reset\n"


def test_its_own_tests_pass(environment: dict[str, str], tmp_path: Path) -> None:
    source = Path(environment["HOME"]) / "source"
    said = run(environment, "pytest", "-q", "-p", "no:cacheprovider", cwd=source)
    assert " passed" in said


def test_its_topology_plans(environment: dict[str, str], tmp_path: Path) -> None:
    (block,) = [part.partition("```")[0] for part in (ROOT / "template/README.md").read_text().split("```yaml\n")[1:]]
    (tmp_path / "guarded.yaml").write_text(block)
    assert "wiki · guarded" in run(environment, "orchestra", "plan", "guarded.yaml", cwd=tmp_path)
