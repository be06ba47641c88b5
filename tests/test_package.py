"""What is shipped is what is here: every package is listed, and each module has its own test file."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLUGINS = (*ROOT.glob("plugins/**/__init__.py"),)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_shipped() -> None:
    found = [path.parent.relative_to(ROOT) for path in (*ROOT.glob("orchestra/**/__init__.py"), *PLUGINS)]
    here = {".".join(path.parts).replace("plugins", "orchestra_plugins", path.parts[0] == "plugins") for path in found}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == here


def test_every_plugin_that_comes_along_has_an_entry_point() -> None:
    modules = {f"orchestra_plugins.{path.stem}" for path in ROOT.glob("plugins/*") if path.stem[0].isalpha()}
    assert set(PROJECT["project"]["entry-points"]["orchestra"].values()) == modules


def test_the_version_is_written_once_and_the_same() -> None:
    import orchestra

    assert PROJECT["project"]["version"] == orchestra.__version__
