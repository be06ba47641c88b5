"""What ssh_config says of one host, as settings of ours; see ssh_config(5)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from orchestra.diagnostics import Code, Place
from orchestra.loading.sshconfig.choosing import Choice, Context, Remark, Setting, Source, choose, tokens
from orchestra.loading.sshconfig.concerns import ignored, refused
from orchestra.loading.sshconfig.files import Library
from orchestra.loading.sshconfig.syntax import split
from orchestra.loading.sshconfig.tokens import BadToken, expand, tilde
from orchestra.loading.sshconfig.values import NONE, BadValue, Jump, jump
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean
from orchestra.model.topology import ConfigSettings, SshSettings

SSH_AUTH_SOCK = "SSH_AUTH_SOCK"
_ALIVE_COUNT = 3
_SHELL = frozenset("'`\";&<>|(){}\n\r\0")
"""What OpenSSH does not take in the name of a user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the files say of one host. ``settings`` has nothing that they leave unset, but ``host``.

    ``jumps`` are the hosts to go through, the first one first. With ``refusals`` the host is not to be dialed.
    """

    settings: SshSettings
    jumps: tuple[Jump, ...] = ()
    proxied_at: Setting | None = None
    warnings: tuple[Remark, ...] = ()
    refusals: tuple[Remark, ...] = ()

    @property
    def origins(self) -> Mapping[str, str]:
        """Name of a setting to ``file:line`` of what decided it."""
        return self.settings.config.origins if self.settings.config else {}


def resolve(
    sources: Sequence[Source], library: Library, host: str, context: Context, given: Mapping[str, Any] | None = None
) -> Resolution:
    """What `ssh HOST` would go by; raises nothing.

    ``given``: keywords (lower case) that are decided already, as by ssh's command line.
    """
    choice = choose(sources, library, host, context, given)
    refusals = list(choice.refusals)
    jumps, proxy = _jumps(choice)
    settings = SshSettings()
    try:
        settings = _Settings(choice, context).made()
    except _Unusable as error:
        refusals.append(Remark(code=Code.SSH_CONFIG_INVALID, message=clean(str(error), 300), place=error.place))
    return Resolution(
        settings=settings,
        jumps=jumps,
        proxied_at=proxy,
        warnings=(*choice.remarks, *ignored(choice)),
        refusals=(*refusals, *refused(choice, jumps, proxied=proxy is not None)),
    )


class _Unusable(Exception):
    """A value that cannot be used, and where it stands."""

    def __init__(self, message: str, place: Place | None) -> None:
        super().__init__(message)
        self.place = place


def _jumps(choice: Choice) -> tuple[tuple[Jump, ...], Setting | None]:
    """The hosts to go through, and the line because of which ssh would not dial by itself."""
    jumping = choice.settings.get("proxyjump")
    if jumping is not None and jumping.value:
        return jumping.value, jumping
    command = choice.settings.get("proxycommand")
    if command is None or command.value.lower() == NONE:
        return (), None
    through = jump_of(command.value)
    return () if through is None else (through,), command


def jump_of(command: str) -> Jump | None:
    """The host of ``ssh [-q] -W %h:%p [user@]host``, the way in which ProxyJump used to be written."""
    try:
        program, *words = shlex.split(command)
    except ValueError:
        return None
    options = {"-l": "", "-p": ""}
    hosts: list[str] = []
    forward = ""
    while words:
        word = words.pop(0)
        if word in {"-W", "-l", "-p"} and words:
            value = words.pop(0)
            forward, options = (value, options) if word == "-W" else (forward, options | {word: value})
        elif word.startswith("-W"):
            forward = word[2:]
        elif word not in {"-q", "-x", "-a", "-T", "-e", "--"}:
            hosts.append(word)
    if program.rpartition("/")[2] != "ssh" or forward not in {"%h:%p", "[%h]:%p"} or len(hosts) != 1:
        return None
    user = f"{options['-l']}@" if options["-l"] else ""
    port = f":{options['-p']}" if options["-p"] else ""
    try:
        return None if hosts[0].startswith("-") or "%" in hosts[0] else jump(f"{user}{hosts[0]}{port}")
    except BadValue:
        return None


@dataclass(slots=True)
class _Settings:
    """Turns a choice into settings, and keeps where each came from."""

    choice: Choice
    context: Context
    origins: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.known = tokens(self.choice, self.context, self.choice.host, self._key_name() or self.choice.asked)

    def made(self) -> SshSettings:
        config = self._config()
        jumps, proxy = _jumps(self.choice)
        if jumps and proxy is not None:
            self._note("behind", proxy)
        return SshSettings(
            host=self._host(),
            port=self._value("port", "port"),
            user=self._user(),
            identity=self._files("identity", "identityfile"),
            certificate=self._files("certificate", "certificatefile"),
            agent=self._agent(),
            host_key_name=self._value("host_key_name", "hostkeyalias", str.lower),
            host_key_policy=self._policy(),
            keepalive=self._keepalive(),
            connect_timeout=self._value("connect_timeout", "connecttimeout", lambda seconds: seconds or None),
            config=config,
        )

    def _config(self) -> ConfigSettings:
        value = self._value
        batch = self.choice.value("batchmode", False)
        return ConfigSettings(
            address_family=value("address_family", "addressfamily", lambda family: None if family == "any" else family),
            bind_address=value("bind_address", "bindaddress"),
            identities_only=value("identities_only", "identitiesonly") or False,
            pubkey_authentication=value("pubkey_authentication", "pubkeyauthentication") is not False,
            password_authentication=value("password_authentication", "passwordauthentication") is not False,
            kbdint_authentication=value("kbdint_authentication", "kbdinteractiveauthentication") is not False,
            preferred_authentications=value("preferred_authentications", "preferredauthentications", _listed) or (),
            password_prompts=value("password_prompts", "batchmode", lambda _: 0)
            if batch
            else self._number("password_prompts", "numberofpasswordprompts", 3),
            ciphers=value("ciphers", "ciphers"),
            macs=value("macs", "macs"),
            kex_algorithms=value("kex_algorithms", "kexalgorithms"),
            host_key_algorithms=value("host_key_algorithms", "hostkeyalgorithms"),
            pubkey_algorithms=value("pubkey_algorithms", "pubkeyacceptedalgorithms"),
            ca_signature_algorithms=value("ca_signature_algorithms", "casignaturealgorithms"),
            required_rsa_size=value("required_rsa_size", "requiredrsasize"),
            user_known_hosts=value("user_known_hosts", "userknownhostsfile", self._paths),
            global_known_hosts=value("global_known_hosts", "globalknownhostsfile", _given),
            revoked_host_keys=value(
                "revoked_host_keys", "revokedhostkeys", lambda file: next(iter(self._paths(file)), None)
            ),
            known_hosts_command=value("known_hosts_command", "knownhostscommand", _command) or (),
            allow_exec=self.context.execute is not None,
            hash_known_hosts=value("hash_known_hosts", "hashknownhosts") or False,
            origins=self.origins,
        )

    def _value(self, name: str, keyword: str, made: Callable[[Any], Any] | None = None) -> Any:
        """The value of a keyword, made into that of a field, whose origin is noted; None when it is not said."""
        setting = self.choice.settings.get(keyword)
        if setting is None or setting.place is None:
            return None
        self._note(name, setting)
        return self._made(setting, made) if made else setting.value

    def _made(self, setting: Setting, made: Callable[[Any], Any]) -> Any:
        try:
            return made(setting.value)
        except BadToken as error:
            raise _Unusable(f"{setting.value}: {error}", setting.place) from None

    def _number(self, name: str, keyword: str, default: int) -> int:
        found = self._value(name, keyword)
        return default if found is None else int(found)

    def _note(self, name: str, setting: Setting) -> None:
        if setting.place is not None:
            self.origins[name] = f"{setting.place.file}:{setting.place.line}"

    def _key_name(self) -> str | None:
        alias = self.choice.value("hostkeyalias")
        return None if alias is None else str(alias).lower()

    def _host(self) -> str:
        if setting := self.choice.settings.get("hostname"):
            self._note("host", setting)
        return self.choice.host

    def _user(self) -> str | None:
        found: str | None = self._value("user", "user", self._user_name)
        if found is not None and (found.startswith("-") or not _SHELL.isdisjoint(found)):
            place = self.choice.settings["user"].place
            raise _Unusable(f"User {found!r} has characters of a shell, or looks like an option", place)
        return found

    def _user_name(self, text: str) -> str:
        known = {letter: value for letter, value in self.known.items() if letter not in "Cr"}
        return expand(text, known, self.context.environ) if "%" in text or "${" in text else text

    def _files(self, name: str, keyword: str) -> tuple[str, ...]:
        added = self.choice.added.get(keyword, [])
        if added:
            self._note(name, added[0])
        return tuple(dict.fromkeys(path for each in added for path in self._made(each, self._paths)))

    def _paths(self, texts: str | Sequence[str]) -> tuple[str, ...]:
        """Raises BadToken."""
        named = [text for text in ((texts,) if isinstance(texts, str) else texts) if text.lower() != NONE]
        return tuple(expand(tilde(text, self.context.home), self.known, self.context.environ) for text in named)

    def _agent(self) -> str | None:
        found: str | None = self._value("agent", "identityagent", self._agent_socket)
        return found

    def _agent_socket(self, text: str) -> str | None:
        if text == SSH_AUTH_SOCK:
            return None
        if text.startswith("$") and not text.startswith("${"):
            return self.context.environ.get(text[1:]) or NONE
        return next(iter(self._paths(text)), NONE)

    def _policy(self) -> Any:
        policy = self._value("host_key_policy", "stricthostkeychecking")
        if self.choice.value("batchmode", False) and policy in (None, "ask"):
            return self._value("host_key_policy", "batchmode", lambda _: "strict")
        return "accept-new" if policy == "off" else policy

    def _keepalive(self) -> float | None:
        """ssh gives up one interval after the last probe that went unanswered; 0: it never asks."""
        interval = self._value("keepalive", "serveraliveinterval")
        if interval is None:
            return None
        return float(interval * (self.choice.value("serveralivecountmax", _ALIVE_COUNT) + 1))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _given(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path.lower() != NONE)


def _command(text: str) -> tuple[str, ...]:
    return () if text.lower() == NONE else split(text, comments=False) or ()
