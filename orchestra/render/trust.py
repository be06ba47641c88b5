"""What became of the servers' host keys: a line each, or one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from orchestra.model.text import clean
from orchestra.render.layout import joined
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Look

FORMAT_VERSION = 1
_ROLES: MappingProxyType[str, Role] = MappingProxyType(
    {"known": "good", "written": "good", "keyless": "quiet", "unknown": "warn"}
)


def trust_line(look: Look, style: Style = PLAIN, *, width: int = 0) -> str:
    """``gateway  known  ssh-ed25519 SHA256:…  /home/alice/.ssh/known_hosts:3``."""
    shown = look.identity
    key = (
        f"{clean(shown.algorithm, 60)} {shown.fingerprint}"
        if shown
        else f"{look.session.dial.by} dials {look.session.dial}"
    )
    where = joined([look.file] if look.file else shown.evidence if shown else ())
    pad = " " * max(0, width - len(look.session.server))
    parts = (
        style("name", clean(look.session.server)) + pad,
        style(_ROLES.get(look.standing, "bad"), f"{look.standing:<11}"),
    )
    return "  ".join((*parts, clean(key), style("quiet", where))).rstrip()


def trust_json(looks: Sequence[Look]) -> dict[str, Any]:
    """The whole result."""
    return {"format_version": FORMAT_VERSION, "servers": [_look(look) for look in looks]}


def _look(look: Look) -> dict[str, Any]:
    dial, shown, error = look.session.dial, look.identity, look.error
    return {
        "server": look.session.server,
        "session": look.session.id,
        "standing": look.standing,
        "dial": {"by": dial.by, "host": dial.host, "port": dial.port},
        "name": shown.name if shown else None,
        "key": {"type": shown.algorithm, "fingerprint": shown.fingerprint} if shown else None,
        "known_at": list(shown.evidence) if shown else [],
        "file": look.file,
        "error": {"code": error.code, "message": error.message} if error else None,
    }
