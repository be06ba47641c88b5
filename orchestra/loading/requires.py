"""Versions that a file needs, against those that are installed.

The comparison knows ``>=``, ``<=``, ``>``, ``<``, ``==``, ``!=`` and ``~=`` on release numbers; that is the part of
PEP 440 that a topology needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata

from orchestra import __version__
from orchestra.diagnostics import Code, KeyPath
from orchestra.loading.faults import Fault
from orchestra.loading.report import quoted
from orchestra.loading.shapes.file import Requires
from orchestra.model.text import clean
from orchestra.plugin.vocabulary import ENTRY_POINTS, Absent

_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|~=|>|<)\s*(\d+(?:\.\d+)*)\s*\Z")
DISTRIBUTIONS = {"orchestra": "orchestra-tunnels"}
"""What to install, where it is called otherwise."""
_RELEASE = re.compile(r"\d+(?:\.\d+)*")

_TESTS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda have, want: have >= want,
    "<=": lambda have, want: have <= want,
    ">": lambda have, want: have > want,
    "<": lambda have, want: have < want,
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
}


def unmet(requires: Requires, absent: Sequence[Absent] = ()) -> Iterator[Fault]:
    """What is not as the file needs it; ``key`` is relative to ``requires``. ``absent``: plugins that are installed and
    add nothing."""
    if requires.orchestra is not None:
        yield from _unmet("orchestra", __version__, requires.orchestra, ("orchestra",))
    for name, wanted in requires.plugins.items():
        try:
            version = metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):
            yield _not_installed(name, wanted)
            continue
        yield from _unmet(name, version, wanted, ("plugins", name))
        yield from _silent(name, absent)


def _silent(package: str, absent: Sequence[Absent]) -> Iterator[Fault]:
    """A package of which no plugin adds anything."""
    points = metadata.entry_points(group=ENTRY_POINTS)
    names = {point.name for point in points if point.dist and _normal(point.dist.name) == _normal(package)}
    silent = [plugin for plugin in absent if plugin.name in names]
    if silent and len(silent) == len(names):
        yield Fault(
            f"the file needs {quoted(package)}, whose plugin {quoted(silent[0].name)} {clean(silent[0].why, 200)}",
            code=Code.REQUIREMENT_UNMET,
            suggestion="`orchestra plugins` shows what is loaded",
            key=("plugins", package),
        )


def _not_installed(name: str, wanted: str) -> Fault:
    """Plugins are needed by the names of their packages; who wrote one that they have inside is told the package."""
    homes = [point.dist.name for point in metadata.entry_points(group=ENTRY_POINTS, name=name) if point.dist]
    return Fault(
        f"{quoted(name)} is a plugin, not a package" if homes else f"the plugin {quoted(name)} is not installed",
        code=Code.REQUIREMENT_UNMET,
        suggestion=f"write its package: {homes[0]}" if homes else f"install it: pip install {quoted(name + wanted)}",
        key=("plugins", name),
    )


def _normal(name: str) -> str:
    """As PEP 503 compares names of packages."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _unmet(name: str, version: str, wanted: str, key: KeyPath) -> Iterator[Fault]:
    try:
        fits = satisfies(version, wanted)
    except ValueError:
        yield Fault(
            f"{quoted(wanted)} is no version to need", suggestion='write it as in ">=0.1" or ">=1.2,<2"', key=key
        )
        return
    if not fits:
        yield Fault(
            f"the file needs {name} {wanted}, and {version} is installed",
            code=Code.REQUIREMENT_UNMET,
            suggestion=f"install one that fits: pip install {quoted(DISTRIBUTIONS.get(name, name) + wanted)}",
            key=key,
        )


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version meets every clause of ``wanted``, separated by commas. Raises ValueError."""
    release = _RELEASE.match(version)
    have = _numbers(release[0] if release else "0")
    return all(_clause(have, clause) for clause in wanted.split(","))


def _clause(have: tuple[int, ...], clause: str) -> bool:
    match = _CLAUSE.match(clause)
    if match is None:
        raise ValueError(clause)
    operator, text = match.groups()
    want = _numbers(text)
    if operator == "~=":  # at least this, and the same in all but the last number
        length = text.count(".")
        return have >= want and _padded(have, length)[:length] == _padded(want, length)[:length]
    return _TESTS[operator](have, want)


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:  # 1.0 is 1
        numbers.pop()
    return tuple(numbers)


def _padded(numbers: tuple[int, ...], length: int) -> tuple[int, ...]:
    return numbers + (0,) * (length - len(numbers))
