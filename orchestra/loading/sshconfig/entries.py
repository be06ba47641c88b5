"""Lines with their meaning: a section that begins, files to include, or a keyword with its value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orchestra.loading.sshconfig.keywords import KEYWORDS, Keyword
from orchestra.loading.sshconfig.patterns import on_networks
from orchestra.loading.sshconfig.syntax import Line, parse
from orchestra.loading.sshconfig.values import BadValue
from orchestra.model.frozen import dataclass

WITHOUT_ARGUMENT = frozenset({"all", "canonical", "final"})
WITH_ARGUMENT = frozenset(
    {"command", "exec", "host", "localnetwork", "localuser", "originalhost", "sessiontype", "tagged", "user", "version"}
)
_MAY_BE_EMPTY = frozenset({"tagged", "command"})


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition of ``Match``."""

    name: str
    argument: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """``Host``: patterns, of which one has to match, and none that is negated."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """``Match``: conditions, all of which have to hold."""

    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Include:
    """``Include``: names of files, with wildcards."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A keyword and its value; None: written, and yet unset."""

    keyword: Keyword
    value: Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """A keyword that nobody knows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that has no meaning."""

    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line and what it means."""

    line: Line
    meaning: Host | Match | Include | Assignment | Unknown | Fault


@dataclass(frozen=True, slots=True)
class Section:
    """``Host`` or ``Match`` and what follows it; without a header: what a file begins with.

    ``quiet``: when it does not hold, nothing in it has to be looked at.
    """

    header: Entry | None
    body: tuple[Entry, ...] = ()

    @property
    def quiet(self) -> bool:
        return all(isinstance(entry.meaning, Assignment) for entry in self.body)


class Sections:
    """The sections of a file, found quickly: most are for hosts of other names."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._all = tuple(_sections(entries))
        self._others: list[int] = []
        self._named: dict[str, list[int]] = {}
        for index, section in enumerate(self._all):
            names = _plain_names(section)
            for name in names or ():
                self._named.setdefault(name, []).append(index)
            if names is None:
                self._others.append(index)

    def concerning(self, host: str) -> Iterator[Section]:
        """In order: those that may hold for a host, and those that have to be looked at in any case."""
        return (self._all[index] for index in sorted({*self._others, *self._named.get(host, ())}))


def _sections(entries: Sequence[Entry]) -> Iterator[Section]:
    header: Entry | None = None
    body: list[Entry] = []
    for entry in entries:
        if isinstance(entry.meaning, Host | Match):
            yield Section(header, tuple(body))
            header, body = entry, []
        else:
            body.append(entry)
    yield Section(header, tuple(body))


def _plain_names(section: Section) -> tuple[str, ...] | None:
    """The hosts that it is for, when it names them one by one; None when it has to be looked at."""
    meaning = section.header.meaning if section.header else None
    if not (isinstance(meaning, Host) and section.quiet) or any(set(each) & set("*?!") for each in meaning.patterns):
        return None
    return meaning.patterns


def entries(text: str) -> tuple[Entry, ...]:
    """The whole text; raises nothing."""
    return tuple(Entry(line, _meaning(line)) for line in parse(text))


def _meaning(line: Line) -> Host | Match | Include | Assignment | Unknown | Fault:
    if line.fault is not None:
        return Fault(line.fault)
    try:
        match line.keyword:
            case "host":
                return Host(_filled(line))
            case "match":
                return Match(tuple(_criteria(line.words)))
            case "include":
                return Include(_filled(line))
        keyword = KEYWORDS.get(line.keyword)
        return Unknown() if keyword is None else Assignment(keyword, keyword.parse(line))
    except BadValue as error:
        return Fault(f"{line.keyword}: {error}")


def _filled(line: Line) -> tuple[str, ...]:
    if not all(line.words):
        raise BadValue("an argument is empty")
    return line.words


def _criteria(words: tuple[str, ...]) -> list[Criterion]:
    found: list[Criterion] = []
    rest = list(words)
    while rest:
        text = rest.pop(0)
        name, equals, argument = text.removeprefix("!").partition("=")
        name, negated = name.lower(), text.startswith("!")
        if name in WITHOUT_ARGUMENT and not equals:
            if name == "all" and (rest or len(found) > 1):
                raise BadValue("all cannot be combined with other criteria")
        elif name not in WITH_ARGUMENT:
            raise BadValue(f"{text!r} is no criterion")
        else:
            argument = argument if equals else rest.pop(0) if rest else ""
            _check(name, argument)
        found.append(Criterion(name, argument, negated))
    if not found:
        raise BadValue("a criterion is needed")
    return found


def _check(name: str, argument: str) -> None:
    if not argument and name not in _MAY_BE_EMPTY:
        raise BadValue(f"{name} needs an argument")
    if name == "localnetwork":
        try:
            on_networks(argument, ())
        except ValueError as error:
            raise BadValue(str(error)) from None
