"""Command lines of ssh, in a script or alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import PurePath

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.errors import TopologyInvalid
from orchestra.loading.sshconfig.syntax import first_word
from orchestra.loading.sshconfig.values import BadValue, jump, port_number
from orchestra.plugin.interfaces import Imported, ImportRequest

from .drafting import drafted
from .forwards import End, Forward, checked_host, parse, split
from .invocation import Invocation
from .keywords import apply, checked, jumps

TAKING = frozenset("BbcDEeFIiJLlmOoPpQRSWw")
"""Options of ssh(1) that take an argument."""
_PROGRAMS = frozenset({"ssh", "autossh", "slogin"})
_BEFORE = frozenset({"nohup", "exec", "sudo", "env", "command", "time", "setsid", "sshpass"})
_SAID = {
    "A": "the agent is not forwarded (-A): no server on the way needs it",
    "X": "X11 is not forwarded",
    "Y": "X11 is not forwarded",
}
_SHELL = frozenset(";&|()<>")


def from_commands(request: ImportRequest) -> Imported:
    """Every ssh command of the text; other lines are passed over."""
    found: list[Invocation] = []
    wrong: list[Diagnostic] = []
    for number, words in commands(request.text):
        try:
            made = invocation(words)
        except BadValue as error:
            wrong.append(_fault(str(error), Place(request.name, number, 1)))
        else:
            found += [made] if made else []
    if not (found or wrong):
        wrong.append(_fault("there is no ssh command in it", Place(request.name, 1, 1)))
    if wrong:
        raise TopologyInvalid(tuple(wrong))
    return drafted(found, request.name)


def _fault(message: str, place: Place) -> Diagnostic:
    return Diagnostic(code=Code.BAD_VALUE, severity="error", message=message, place=place)


def commands(text: str) -> Iterator[tuple[int, list[str]]]:
    """The words of every simple command, and the line on which it begins; what no shell would read is left out."""
    begun, whole = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        whole += line.removesuffix("\\")
        if not line.endswith("\\"):
            lexer = shlex.shlex(whole, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            with suppress(ValueError):
                yield from ((begun, list(words)) for joint, words in groupby(lexer, _joins) if not joint)
            begun, whole = number + 1, ""


def _joins(word: str) -> bool:
    return _SHELL.issuperset(word)


def invocation(words: list[str]) -> Invocation | None:
    """What a command asks of ssh; None when it is not about ssh. Raises BadValue."""
    at = next((at for at, word in enumerate(words) if PurePath(word).name in _PROGRAMS), None)
    before = words[:at]
    if at is None or (before and PurePath(before[0]).name not in _BEFORE and "=" not in before[0]):
        return None
    made = _Command(Invocation(host=""), autossh=PurePath(words[at]).name == "autossh")
    made.read(words[at + 1 :])
    if any(PurePath(word).name == "sshpass" for word in before):
        _password(made.made, before)
    return made.made


def _password(made: Invocation, before: list[str]) -> None:
    """A password itself is never taken over."""
    if "-e" in before:
        made.ssh["password"] = {"env": "SSHPASS"}
    elif "-f" in before[:-1]:
        made.ssh["password"] = {"file": before[before.index("-f") + 1]}
    else:
        made.notes.append("a password stood in the command, for everybody to see: change it, and name where it is kept")


class _Command:
    """ssh's own words, one by one, into ``made``."""

    def __init__(self, made: Invocation, *, autossh: bool) -> None:
        self.made, self._taking = made, TAKING | {"M"} if autossh else TAKING

    def read(self, words: list[str]) -> None:
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--" and rest and not self.made.host:
                self._destination(rest.pop(0))
            elif word.startswith("-") and len(word) > 1:
                self._options(word[1:], rest)
            elif not self.made.host:
                self._destination(word)
            else:
                self.made.notes.append("the command that it runs there is not taken over")
                break
        if not self.made.host:
            raise BadValue("this ssh command names no host")

    def _options(self, letters: str, rest: list[str]) -> None:
        for at, letter in enumerate(letters):
            if letter in self._taking:
                self._option(letter, checked(letters[at + 1 :] or (rest.pop(0) if rest else ""), f"-{letter}"))
                return
            if letter in _SAID:
                self.made.notes.append(_SAID[letter])
            self.made.exposed |= letter == "g"

    def _option(self, letter: str, text: str) -> None:
        match letter:
            case "L" | "R" | "D":
                self.made.forwards.append(parse(letter, text))
            case "W":
                self._stdio(text)
            case "J":
                self.made.jumps = jumps(text)
            case "o":
                name, value = first_word(text)
                apply(self.made, (name or "").lower(), (value or "").strip().strip('"'))
            case "p":
                self.made.ssh["port"] = port_number(text)
            case "l":
                self.made.ssh["user"] = text
            case "i":
                self.made.ssh.setdefault("identity", []).append(text)
            case "F":
                self.made.ssh["ssh_config"] = text
            case "w":
                self.made.notes.append("-w (a network device) is not opened")

    def _destination(self, text: str) -> None:
        found = jump(text)
        self.made.host = checked_host(found.host)
        self.made.ssh |= {key: value for key, value in (("user", found.user), ("port", found.port)) if value}

    def _stdio(self, text: str) -> None:
        host, number = split(text)[:2] if text.count(":") else ("", "")
        self.made.forwards.append(Forward("L", None, End(checked_host(host), port_number(number))))
