"""The template of a plugin is a package: it is built and installed, its tests pass, and a tunnel runs through it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
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


SOURCES, FILES = ("orchestra", "plugins"), ("pyproject.toml", "README.md", "LICENSE")
LEFT_OUT = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment of its own, where both packages are installed and nothing of this tree is seen: what
    orchestra depends on lies on its path, as no network is asked for it."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copytree(ROOT / "template", folder / "source", ignore=LEFT_OUT)
    (folder / "orchestra").mkdir()
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / "orchestra" / name, ignore=LEFT_OUT)
    for name in FILES:
        shutil.copy(ROOT / name, folder / "orchestra")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", str(folder)]
    subprocess.run([*pip, *build, str(folder / "orchestra"), str(folder / "source")], check=True, timeout=50)
    venv.create(folder / "venv")
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    install = ["install", "--no-deps", "--no-index", *map(str, folder.glob("*.whl"))]
    subprocess.run([*pip, "--python", str(folder / "venv/bin/python"), *install], check=True, timeout=50)
    shutil.rmtree(folder / "orchestra")
    (folder / "run").mkdir(mode=0o700)
    return folder


def run(environment: Path, *command: str, cwd: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRA_", "XDG_", "PYTHON"))}
    kept |= {"XDG_RUNTIME_DIR": str(environment / "run"), "HOME": str(environment)}
    program, *arguments = command
    done = subprocess.run(
        [str(environment / "venv/bin" / program), *arguments],
        env=kept,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_an_environment_of_its_own(environment: Path, tmp_path: Path) -> None:
    code = "import orchestra, orchestra_guarded, orchestra_plugins as p; print(orchestra.__file__, p.__file__)"
    found = run(environment, "python", "-c", code, cwd=tmp_path).split()
    assert all(Path(file).is_relative_to(environment / "venv") for file in found), found


def test_it_is_found_by_its_entry_point(environment: Path, tmp_path: Path) -> None:
    listed = json.loads(run(environment, "orchestra", "plugins", "-o", "json", cwd=tmp_path))["plugins"]
    (found,) = [plugin for plugin in listed if plugin["name"] == "guarded"]
    assert (found["origin"], found["version"], found["error"]) == ("orchestra-guarded", "0.1.0", None)
    assert found["adds"] == ["kind guarded", "check guarded"]


def test_a_tunnel_runs_through_it(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(TEXT)
    (tmp_path / "client.py").write_text(CLIENT)
    said = run(
        environment, "orchestra", "run", "--lab=embedded", "f.yaml", "--", sys.executable, "client.py", cwd=tmp_path
    )
    assert said == "HTTP/ reset\n"


def test_its_own_tests_pass(environment: Path, tmp_path: Path) -> None:
    source = environment / "source"
    said = run(environment, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=source)
    assert " passed" in said


def test_its_topology_plans(environment: Path, tmp_path: Path) -> None:
    (block,) = [part.partition("```")[0] for part in (ROOT / "template/README.md").read_text().split("```yaml\n")[1:]]
    (tmp_path / "guarded.yaml").write_text(block)
    assert "wiki · guarded" in run(environment, "orchestra", "plan", "guarded.yaml", cwd=tmp_path)
