"""What is shipped is what is here: every package is listed, and each module has its own test file."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_shipped() -> None:
    here = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in ROOT.glob("orchestra/**/__init__.py")
    }
    listed = set(PROJECT["tool"]["setuptools"]["packages"]) - {"orchestra_plugins"}
    assert listed == here


def test_every_plugin_that_comes_along_has_an_entry_point() -> None:
    modules = {f"orchestra_plugins.{path.stem}" for path in ROOT.glob("plugins/*.py") if path.stem != "__init__"}
    assert set(PROJECT["project"]["entry-points"]["orchestra"].values()) == modules


def test_the_version_is_written_once_and_the_same() -> None:
    import orchestra

    assert PROJECT["project"]["version"] == orchestra.__version__
