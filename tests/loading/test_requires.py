from __future__ import annotations

import pytest

from orchestra import __version__
from orchestra.loading.requires import satisfies, unmet
from orchestra.loading.shapes.file import Requires
from orchestra.plugin.manager import load_plugins


@pytest.mark.parametrize(
    ("version", "wanted", "met"),
    [
        ("0.1.0", ">=0.1", True),
        ("0.1.0", "==0.1", True),
        ("0.10", ">0.9", True),
        ("1.2.3", ">=1.2,<2", True),
        ("2.0", ">=1.2, <2", False),
        ("1.4.9", "~=1.4.2", True),
        ("1.5", "~=1.4.2", False),
        ("1.5", "~=1.4", True),
        ("2", "~=1.4", False),
        ("1.0", "!=1", False),
        ("1.0rc1", "<=1.0", True),
    ],
)
def test_satisfies(version: str, wanted: str, met: bool) -> None:
    assert satisfies(version, wanted) is met


@pytest.mark.parametrize("wanted", ["", "1.0", "=>1", ">=x", ">=1,,<2"])
def test_no_specifier(wanted: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        satisfies("1.0", wanted)


def test_what_does_not_fit_is_said_with_what_is_installed_and_how_to_get_another() -> None:
    [fault] = unmet(Requires(orchestra=">=99"))
    assert (fault.key, fault.message) == (
        ("orchestra",),
        f"the file needs orchestra >=99, and {__version__} is installed",
    )
    assert fault.suggestion == "install one that fits: pip install 'orchestra-tunnels>=99'"
    [fault] = unmet(Requires(plugins={"pydantic": "<1"}))
    assert fault.suggestion == "install one that fits: pip install 'pydantic<1'"


def test_plugins_are_looked_up_by_distribution() -> None:
    assert list(unmet(Requires(orchestra=">=0.1", plugins={"pydantic": ">=2"}))) == []
    [fault] = unmet(Requires(plugins={"orchestra-nobody-has-this": ">=1"}))
    assert fault.key == ("plugins", "orchestra-nobody-has-this")


def test_who_names_a_plugin_is_told_its_package() -> None:
    [fault] = unmet(Requires(plugins={"socks": ">=1"}))
    assert (fault.message, fault.suggestion) == (
        "'socks' is a plugin, not a package",
        "write its package: orchestra-tunnels",
    )


def test_a_package_that_is_installed_and_adds_nothing_is_not_there() -> None:
    names = [info.name for info in load_plugins([]).loaded if info.origin == "orchestra-tunnels"]
    needed = Requires(plugins={"Orchestra.Tunnels": ">=0.1"})
    some, all_ = (load_plugins([], disabled=left_out).vocabulary.absent for left_out in (names[:1], names))
    assert list(unmet(needed, some)) == []
    [fault] = unmet(needed, all_)
    assert fault.message == (
        f"the file needs 'Orchestra.Tunnels', whose plugin {names[0]!r} is left out by ORCHESTRA_DISABLE_PLUGINS"
    )
