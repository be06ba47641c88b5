"""Which lines hold for one host: ``Host``, ``Match`` and ``Include``, in the order of the files; the first value wins.

As in ssh, a ``Match final`` or ``CanonicalizeHostname`` asks for a second pass, over what the first one found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, TypeAlias

from orchestra.diagnostics import Code, Place
from orchestra.loading.sshconfig.entries import Assignment, Criterion, Entry, Fault, Host, Include, Match, Unknown
from orchestra.loading.sshconfig.files import NOT_REGULAR, ConfigFile, Library
from orchestra.loading.sshconfig.patterns import in_list, matches, on_networks
from orchestra.loading.sshconfig.tokens import BadToken, connection_hash, expand, tilde
from orchestra.loading.sshconfig.values import Jump
from orchestra.model.address import SSH_PORT, IPAddress, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean

DEEPEST = 16
"""Files that include one another."""
MOST_FILES = 1000
MOST_VALUES = 100
VERSION = "OpenSSH_10.2"
"""What ``Match version`` is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to begin with. ``users``: names in it may be relative to ``~/.ssh``, not to ``/etc/ssh``."""

    path: str
    users: bool = True
    checked: bool = False
    """Whether it is refused when others may write it."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What ssh_config can ask of the machine and the user; ``execute`` is None where nothing may be run."""

    home: str
    user: str
    uid: int
    hostname: str
    environ: Mapping[str, str]
    glob: Callable[[str], Sequence[str]]
    addresses: Callable[[], Sequence[IPAddress]]
    execute: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it stands; without a place the topology file says it."""

    value: Any
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is wrong, where, and what to do."""

    code: Code
    message: str
    place: Place | None = None
    suggestion: str | None = None


class Refused(Exception):
    """ssh would go no further, or we must not."""

    def __init__(self, remark: Remark) -> None:
        super().__init__(remark.message)
        self.remark = remark


@dataclass(slots=True)
class Choice:
    """What holds. Keys are keywords in lower case."""

    asked: str
    """The host as it was asked for."""
    host: str
    """The same with ``Hostname`` applied."""
    settings: dict[str, Setting] = field(default_factory=dict)
    added: dict[str, list[Setting]] = field(default_factory=dict)
    refusals: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def value(self, keyword: str, default: Any = None) -> Any:
        """The value of a keyword."""
        setting = self.settings.get(keyword)
        return default if setting is None else setting.value


def choose(
    sources: Sequence[Source], library: Library, host: str, context: Context, given: Mapping[str, Any] | None = None
) -> Choice:
    """What the files say of a host; raises nothing. ``given`` stands as if on ssh's command line."""
    choice = Choice(asked=host, host=host, settings={key: Setting(value) for key, value in (given or {}).items()})
    try:
        walk = _Walk(choice, library, context)
        walk.run(sources)
        _settle(choice)
        if walk.again or choice.value("canonicalizehostname", "no") != "no":
            final = _Walk(choice, library, context, final=True)
            final.run(sources)
    except Refused as refused:
        choice.refusals.append(refused.remark)
    choice.refusals, choice.remarks = list(dict.fromkeys(choice.refusals)), list(dict.fromkeys(choice.remarks))
    return choice


def _settle(choice: Choice) -> None:
    """Takes the host name into use, as ssh compares it from here on."""
    setting = choice.settings.get("hostname")
    choice.host = _canonical(choice.host if setting is None else _host_name(setting, choice.asked))
    choice.settings["hostname"] = Setting(choice.host, setting.place if setting else None)


def _canonical(host: str) -> str:
    address = parse_ip(host)
    return host.lower() if address is None else str(address)


def _host_name(setting: Setting, host: str) -> str:
    try:
        return expand(setting.value, {"h": host})
    except BadToken as error:
        raise Refused(_invalid(f"Hostname: {error}", setting.place)) from None


def _invalid(message: str, place: Place | None, suggestion: str | None = None) -> Remark:
    return Remark(code=Code.SSH_CONFIG_INVALID, message=clean(message, 300), place=place, suggestion=suggestion)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A section that holds if a command says so which may not be run."""

    command: str
    place: Place


_Active: TypeAlias = Literal[True, False] | _Doubt


@dataclass(slots=True)
class _Walk:
    """One pass over the files."""

    choice: Choice
    library: Library
    context: Context
    final: bool = False
    again: bool = False
    _opened: int = 0

    def run(self, sources: Sequence[Source]) -> None:
        for source in sources:
            file = self.library.open(source.path)
            whole = Place(file.name, 1, 1)
            if file.problem is not None or (source.required and not file.exists):
                message = f"{file.name} cannot be read: {file.problem or 'there is no such file'}"
                if source.required:
                    raise Refused(_invalid(message, None, "name another file, or write `ssh_config: none`"))
                self.choice.remarks.append(Remark(code=Code.SSH_CONFIG_IGNORED, message=message))
                continue
            self._read(file, source.users, source.checked, whole, True, ())

    def _read(
        self, file: ConfigFile, users: bool, checked: bool, named: Place, active: _Active, chain: tuple[str, ...]
    ) -> None:
        if checked and file.insecure:
            hint = f"chmod go-w {file.name}"
            raise Refused(_invalid(f"{file.name} is not trusted: {file.insecure}", named, hint))
        for section in file.sections.concerning(self.choice.host):
            holds = self._enter(section.header, file, active)
            if holds is False and section.quiet:
                continue
            for entry in section.body:
                place = Place(file.name, entry.line.number, entry.line.column)
                self._take(entry, place, users, holds, (*chain, file.name))

    def _enter(self, header: Entry | None, file: ConfigFile, inside: _Active) -> _Active:
        """Whether a section holds, inside of a file that is included where ``inside`` holds."""
        match header.meaning if header else None:
            case Host(patterns):
                holds: _Active = inside is not False and self._host(patterns)
            case Match(criteria):
                place = Place(file.name, header.line.number, header.line.column) if header else None
                holds = self._match(criteria, place or Place(file.name, 1, 1), skip=inside is False)
            case _:
                return inside
        return inside if holds is True else holds

    def _take(self, entry: Entry, place: Place, users: bool, active: _Active, chain: tuple[str, ...]) -> None:
        match entry.meaning:
            case Assignment() as assignment:
                if active is not False:
                    self._assign(assignment, place, active)
            case Include(patterns):
                for pattern in patterns:
                    self._include(pattern, users, place, active, chain)
            case Fault(why):
                self.choice.refusals.append(_invalid(why, place))
            case Unknown():
                self._unknown(entry, place)

    def _assign(self, assignment: Assignment, place: Place, active: _Active) -> None:
        keyword, value = assignment.keyword, assignment.value
        name = keyword.name.lower()
        if value is None or (not keyword.adds and self._decided(name, value)):
            return
        if isinstance(active, _Doubt):
            if keyword.heeded:
                self.choice.refusals.append(_unasked(active, keyword.name))
            return
        if not keyword.adds:
            self.choice.settings[name] = Setting(value, place)
            return
        values = self.choice.added.setdefault(name, [])
        if all(each.value != value for each in values):
            values.append(Setting(value, place))
        if keyword.heeded and len(values) > MOST_VALUES:
            raise Refused(_invalid(f"there are more than {MOST_VALUES} lines with {keyword.name}", place))

    def _decided(self, name: str, value: Any) -> bool:
        """Whichever of ProxyJump and ProxyCommand comes first disables the other; ``ProxyJump none`` only itself."""
        settings = self.choice.settings
        if name == "proxycommand":
            return name in settings or bool(self.choice.value("proxyjump"))
        return name in settings or (name == "proxyjump" and value != () and "proxycommand" in settings)

    def _unknown(self, entry: Entry, place: Place) -> None:
        if not in_list(self.choice.value("ignoreunknown", ""), entry.line.keyword, lower=True):
            message = f"ssh_config has no keyword {clean(entry.line.keyword, 60)!r}"
            hint = f"correct it, or write `IgnoreUnknown {clean(entry.line.keyword, 60)}` above it"
            self.choice.refusals.append(_invalid(message, place, hint))

    # -- files

    def _include(self, text: str, users: bool, place: Place, active: _Active, chain: tuple[str, ...]) -> None:
        if text.startswith("~") and not users:
            self.choice.refusals.append(_invalid(f"Include {text}: the system's files cannot include a user's", place))
            return
        if "%" in text or "${" in text:
            text = self._expanded(text, f"Include {text}", place)
        folder = f"{self.context.home}/.ssh" if users else "/etc/ssh"
        pattern = tilde(text, self.context.home) if text.startswith(("/", "~")) else f"{folder}/{text}"
        for name in self.context.glob(pattern):
            self._opened += 1
            if name in chain:
                raise Refused(_invalid(f"{name} includes itself", place, "remove this Include"))
            if len(chain) > DEEPEST or self._opened > MOST_FILES:
                raise Refused(_invalid("too many files include one another", place))
            file = self.library.open(name)
            if file.problem is not None:
                if file.problem != NOT_REGULAR:
                    self.choice.refusals.append(_invalid(f"{name} cannot be read: {file.problem}", place))
                continue
            self._read(file, users, True, place, active, chain)

    # -- sections

    def _host(self, patterns: Sequence[str]) -> bool:
        found = False
        for pattern in patterns:
            if matches(pattern.removeprefix("!"), self.choice.host):
                if pattern.startswith("!"):
                    return False
                found = True
        return found

    def _match(self, criteria: Sequence[Criterion], place: Place, *, skip: bool) -> _Active:
        if any(each.name == "final" and not each.negated for each in criteria):
            self.again = True
        if skip:
            return False
        doubt: _Doubt | None = None
        for each in criteria:
            holds = self._exec(each.argument, place) if each.name == "exec" else self._holds(each)
            if isinstance(holds, _Doubt):
                doubt = holds
            elif holds is each.negated:
                return False
        return doubt or True

    def _holds(self, criterion: Criterion) -> bool:
        value = self.choice.value
        match criterion.name:
            case "all":
                return True
            case "canonical" | "final":
                return self.final
            case "host":
                return in_list(criterion.argument, self._current_host().lower(), lower=True)
            case "originalhost":
                return in_list(criterion.argument, self.choice.asked.lower(), lower=True)
            case "user":
                return in_list(criterion.argument, value("user", self.context.user))
            case "localuser":
                return in_list(criterion.argument, self.context.user)
            case "localnetwork":
                return on_networks(criterion.argument, self.context.addresses())
            case "tagged":
                return _in_list_or_both_empty(criterion.argument, value("tag", ""))
            case "command":
                return not criterion.argument
            case "sessiontype":
                return in_list(criterion.argument, "none")
            case _:
                return in_list(criterion.argument, VERSION)

    def _exec(self, command: str, place: Place) -> bool | _Doubt:
        text = self._expanded(command, "Match exec", place, environ=False)
        if self.context.execute is None:
            return _Doubt(text, place)
        return self.context.execute(text)

    def _current_host(self) -> str:
        setting = self.choice.settings.get("hostname")
        return (
            self.choice.asked
            if setting is None
            else setting.value
            if self.final
            else _host_name(setting, self.choice.asked)
        )

    def _expanded(self, text: str, what: str, place: Place, *, environ: bool = True) -> str:
        host = self._current_host()
        known = tokens(self.choice, self.context, host, self.choice.value("hostkeyalias", host))
        try:
            return expand(text, known, self.context.environ if environ else None)
        except BadToken as error:
            raise Refused(_invalid(f"{what}: {error}", place)) from None


def _in_list_or_both_empty(patterns: str, text: str) -> bool:
    return in_list(patterns, text) if text else not patterns


def _unasked(doubt: _Doubt, keyword: str) -> Remark:
    return Remark(
        code=Code.SSH_CONFIG_REFUSED,
        message=f"{keyword} depends on a command that is not run unasked: {clean(doubt.command, 200)}",
        place=doubt.place,
        suggestion="give --allow-exec to run what Match exec says, as ssh does",
    )


def tokens(choice: Choice, context: Context, host: str, key_name: str) -> dict[str, str]:
    """What the letters of TOKENS in ssh_config(5) stand for."""
    user, port = choice.value("user", context.user), choice.value("port", SSH_PORT)
    jump: tuple[Jump, ...] = choice.value("proxyjump", ())
    last = jump[-1].host if jump else ""
    return {
        "C": connection_hash(context.hostname, host, port, user, last),
        "L": context.hostname.partition(".")[0],
        "d": context.home,
        "h": host,
        "i": str(context.uid),
        "j": last,
        "k": key_name,
        "l": context.hostname,
        "n": choice.asked,
        "p": str(port),
        "r": user,
        "u": context.user,
    }
