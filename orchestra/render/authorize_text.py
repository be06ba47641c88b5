"""What a server has to permit, as lines for its authorized_keys or as a Match block for its sshd_config.

What each text is for stands above it. Nothing of a topology can add an option or a line: texts that sshd would read
as more than one literal are refused.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.model.address import Endpoint
    from orchestra.planning.authorize import Act, Needs

NOTHING = "NONE.invalid:1"
"""An entry that permits nothing, since no entry at all permits everything: sshd lowers what it is asked to listen on
before it compares (channels.c, remote_open_match), and no name below ``invalid`` resolves (RFC 6761)."""
SOMEBODY = "ACCOUNT"
"""Stands for an account that is not known: sshd_config(5) compares names as they are, and no user is called so."""
NO_KEY = "PUBLIC-KEY"
"""Stands for a key that is not known: sshd passes over a line without a key."""

_HOST = re.compile(r"[A-Za-z0-9_.:-]+(%[A-Za-z0-9_.-]+)?\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?\Z")
_KEY = re.compile(r"(?P<key>[a-z0-9@.-]+ AAAA[A-Za-z0-9+/]+={0,2})(?: (?P<comment>.*))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What narrows it further. ``sources``: addresses and CIDRs; ``expiry``: as authorized_keys(5) has it."""

    sources: tuple[str, ...] = ()
    expiry: str | None = None


def public_key(text: str) -> str | None:
    """The first key of a public key file, fit for a line of authorized_keys; None when there is none."""
    for line in text.splitlines():
        if match := _KEY.match(line.strip()):
            return f"{match['key']} {clean(match['comment'] or '')}".strip()
    return None


def authorized_keys(needs: Needs, key: str | None, limits: Limits) -> str:
    """A line for sshd's AuthorizedKeysFile, below comments that say what its options are for."""
    quoted = [("from", ",".join(limits.sources)), ("expiry-time", limits.expiry), *_permits(needs)]
    words = ["restrict", *(["port-forwarding"] if _forwards(needs) else [])]
    words += [f'{option}="{value}"' for option, value in quoted if value]
    lines = [f"# {each}" for each in (_heading(needs), *_explained(needs), *_beside_a_key(needs))]
    return "\n".join([*lines, f"{','.join(words)} {key or NO_KEY}"])


def _permits(needs: Needs) -> Iterator[tuple[str, str]]:
    if _forwards(needs):
        for option, texts in (("permitopen", opens(needs)), ("permitlisten", listens(needs))):
            yield from ((option, text) for text in (texts if texts != ("none",) else (NOTHING,)) if text != "any")
    if not needs.reasons("run"):
        yield "command", "exit 1"


def _beside_a_key(needs: Needs) -> Iterator[str]:
    """What only sshd_config decides."""
    if needs.beyond_loopback:
        yield "sshd_config has to say: GatewayPorts clientspecified"
    if _unix(needs) != "no":
        yield f"sshd_config has to say: AllowStreamLocalForwarding {_unix(needs)}"
    elif _forwards(needs):
        yield "a key cannot forbid unix sockets; in sshd_config: AllowStreamLocalForwarding no"


def match_block(needs: Needs, limits: Limits) -> str:
    """A Match block for sshd_config, below comments that say what its settings are for.

    ``sources`` are no condition of the block: from elsewhere the account would then be free.
    """
    settings = {
        **({"AllowUsers": " ".join(f"*@{each}" for each in limits.sources)} if limits.sources else {}),
        "AllowTcpForwarding": _directions(_dials(needs), bool(needs.texts("listen"))),
        "PermitOpen": " ".join(opens(needs)),
        "PermitListen": " ".join(listens(needs)),
        "GatewayPorts": "clientspecified" if needs.beyond_loopback else "no",
        "AllowStreamLocalForwarding": _unix(needs),
        "PermitTunnel": "no",
        **(_NO_TERMINAL if needs.reasons("run") else {"MaxSessions": "0"}),
    }
    lines = [f"# {each}" for each in (_heading(needs), *_explained(needs))]
    lines.append(f"Match User {account(needs) or SOMEBODY}")
    return "\n".join([*lines, *(f"    {keyword} {value}" for keyword, value in settings.items())])


_NO_TERMINAL = {"PermitTTY": "no", "X11Forwarding": "no", "AllowAgentForwarding": "no", "PermitUserRC": "no"}


def account(needs: Needs) -> str | None:
    """The account's name where it is known. Raises UsageError for one that sshd would read as a pattern."""
    if needs.user is None or _USER.match(needs.user):
        return needs.user
    raise UsageError(f"the user {clean(needs.user)!r} of {needs.server} is no account that `Match User` could name")


def opens(needs: Needs) -> tuple[str, ...]:
    """The entries of PermitOpen: literal texts, ``any`` or ``none``."""
    if needs.reasons("open any"):
        return ("any",)
    return tuple(_literal(needs, at) for at in needs.texts("open")) or ("none",)


def listens(needs: Needs) -> tuple[str, ...]:
    """The entries of PermitListen: literal texts in lower case, as sshd compares them, or ``none``."""
    return tuple(_literal(needs, at).lower() for at in needs.texts("listen")) or ("none",)


def _literal(needs: Needs, at: Endpoint) -> str:
    host = at.host or ""
    if host and not _HOST.match(host):
        raise UsageError(f"{needs.server} is sent {clean(host)!r}, which sshd cannot be told to permit literally")
    return f"{f'[{host}]' if ':' in host else host}:{at.port or '*'}"


def _directions(outwards: bool, inwards: bool) -> str:
    return {(True, True): "yes", (True, False): "local", (False, True): "remote"}.get((outwards, inwards), "no")


def _dials(needs: Needs) -> bool:
    return bool(needs.texts("open") or needs.reasons("open any"))


def _unix(needs: Needs) -> str:
    return _directions(bool(needs.reasons("open unix")), bool(needs.reasons("listen unix")))


def _forwards(needs: Needs) -> bool:
    return _dials(needs) or bool(needs.texts("listen")) or _unix(needs) != "no"


def _heading(needs: Needs) -> str:
    return clean(f"{needs.server}, {f'account {needs.user}' if needs.user else 'the account that is logged in to'}")


def _explained(needs: Needs) -> Iterator[str]:
    """What the texts are for, and what cannot be told by texts."""
    for act in ("open", "listen"):
        by_reason: dict[tuple[str, ...], list[str]] = {}
        for at, whys in needs.texts(act).items():
            by_reason.setdefault(whys, []).append(_literal(needs, at))
        for whys, texts in by_reason.items():
            yield f"{act}s {', '.join(texts)}: {clean(', '.join(whys))}"
    for act, text in _UNLIMITED.items():
        if whys := needs.reasons(act):
            yield f"{text}: {clean(', '.join(whys))}"


_UNLIMITED: Mapping[Act, str] = MappingProxyType(
    {
        "open any": "opens any address, since it is known only when it is asked for",
        "open unix": "opens unix sockets, of which sshd permits all or none",
        "listen unix": "listens on unix sockets, of which sshd permits all or none",
        "listen unproven": "any free port, so that a proof would need every port to be open; it does without",
        "run": "runs commands",
    }
)
