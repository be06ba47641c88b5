"""What is said of host keys: why one is not accepted, and what a person is asked about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from orchestra.diagnostics import Code
from orchestra.engine.ssh.hostkeys import KnownKey, ShownKey, TrustedKeys, Verdict
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Dial
from orchestra.model.text import clean
from orchestra.session.errors import OpenFailed

_SHOWN = 3
"""How many places are named; more are counted."""


@dataclass(frozen=True, slots=True)
class About:
    """Which server: its name in the topology, the dial to it, and the names that its key and certificate must bear."""

    server: str
    dial: Dial
    name: str
    filed: str
    """``[name]:port``, or the bare name, as known_hosts has it."""

    def refused(self, code: Code, what: str, hint: str | None = None) -> OpenFailed:
        """A refusal of this server."""
        return OpenFailed(code, what, host=self.server, suggestion=hint)


def unknown(
    about: About, shown: ShownKey, verdict: Verdict, trusted: TrustedKeys, broken: Sequence[str] = ()
) -> OpenFailed:
    """Nobody vouches for it, or with a certificate that does not hold."""
    fault = f"; its certificate {clean(verdict.certificate, 200)}" if verdict.certificate else ""
    code = Code.HOST_CERTIFICATE_INVALID if verdict.standing == "uncertified" else Code.HOST_KEY_UNKNOWN
    if trusted.pinned:
        why = "no authority that it names has signed it" if trusted.authorities else "it has no key that can be read"
        what = f"the host key of {about.server} is not vouched for by host_key ({why}); it shows {shown}{fault}"
        return about.refused(code, what, "compare it with host_key")
    what = f"the host key of {about.server} is unknown: nothing is filed under {about.filed}; it shows {shown}{fault}"
    if code is Code.HOST_CERTIFICATE_INVALID:
        what = f"{about.server} ({about.name}) shows {shown}{fault}"
        return about.refused(code, what, "the server needs a certificate that holds; ask whoever runs it")
    if broken:
        what += f" (lines that cannot be read: {_places(broken)})"
    hint = f"compare the fingerprint with the server's own, then: orchestra trust FILE {about.server}"
    return about.refused(code, what, hint)


def changed(about: About, shown: ShownKey, verdict: Verdict, *, pinned: bool) -> OpenFailed:
    """Another key is known for the name."""
    known = ", ".join(f"{key.algorithm} {key.fingerprint} ({clean(key.where)})" for key in verdict.evidence)
    what = f"the host key of {about.server} ({about.filed}) has changed: it shows {shown}, known is {known}"
    if all(key.algorithm != shown.algorithm for key in verdict.evidence):
        what += "; the known key is of another type, and the server did not show that it has it too"
    if verdict.certificate:
        what += f"; its certificate {clean(verdict.certificate, 200)}"
    hint = "somebody may be in between, or the server was set up anew: ask its owner; only then "
    files = dict.fromkeys(key.file for key in verdict.evidence if ":" in key.where)
    if pinned or not files:
        return about.refused(Code.HOST_KEY_CHANGED, what, hint + "correct host_key in the topology")
    commands = "; ".join(f"ssh-keygen -f {shlex.quote(file)} -R {shlex.quote(about.filed)}" for file in files)
    return about.refused(Code.HOST_KEY_CHANGED, what, f"{hint}forget the old key: {clean(commands, 1000)}")


def revoked(about: About, shown: ShownKey, verdict: Verdict, file: str | None) -> OpenFailed:
    """Somebody said that it must never be accepted."""
    where = _places([key.where for key in verdict.evidence]) or clean(file or "")
    what = f"the host key of {about.server} ({about.filed}) is revoked at {where}: {shown}"
    hint = "do not connect; ask whoever runs the server for its new key"
    return about.refused(Code.HOST_KEY_REVOKED, what, hint)


def too_short(about: About, shown: ShownKey, bits: int, smallest: int) -> OpenFailed:
    """An RSA key that can be broken."""
    what = f"the host key of {about.server} has {bits} bits, and {smallest} are the least that is accepted: {shown}"
    return about.refused(Code.HOST_KEY_UNKNOWN, what, "the server needs a longer key, or better one of ed25519")


def unreadable_key(about: About, why: str) -> OpenFailed:
    """What it shows is no key."""
    return about.refused(Code.PROTOCOL_ERROR, f"{about.server} shows a host key that cannot be read: {why}")


def cannot_keep(about: About, shown: ShownKey, why: str) -> OpenFailed:
    """A new key that would be new each time."""
    what = f"the host key of {about.server} is new, and there is no file to keep it in: {clean(why)}; it shows {shown}"
    hint = "name a file with known_hosts, or pin the key with host_key; unseen, a key is accepted only once"
    return about.refused(Code.HOST_KEY_UNKNOWN, what, hint)


def unreadable_file(about: About, file: str, error: OSError) -> OpenFailed:
    """A file that may know another key."""
    what = f"{about.server}: known_hosts {clean(file)} cannot be read: {error.strerror}"
    return about.refused(Code.HOST_KEY_UNKNOWN, what, "what it knows, or revokes, must not be passed over")


def unreadable_revocations(about: About, file: str, why: str) -> OpenFailed:
    """As in ssh, nobody is accepted then."""
    what = f"{about.server}: RevokedHostKeys {clean(file)} cannot be used: {clean(why, 200)}"
    return about.refused(Code.HOST_KEY_REVOKED, what, "as in ssh, no host key is accepted while the list is unreadable")


def command_not_allowed(about: About, command: str) -> OpenFailed:
    """It may know another key, or revoke this one."""
    what = f"{about.server}: ssh_config has KnownHostsCommand {clean(command, 200)}, which may not be run"
    hint = "allow it with --allow-exec or ORCHESTRA_ALLOW_EXEC=1, or name host_key or known_hosts in the topology"
    return about.refused(Code.HOST_KEY_UNKNOWN, what, hint)


def command_failed(about: About, why: str) -> OpenFailed:
    """As in ssh, the connection ends."""
    what = f"{about.server}: KnownHostsCommand: {clean(why, 200)}"
    return about.refused(Code.HOST_KEY_UNKNOWN, what, "run it by hand to see what it says")


def question(about: About, shown: ShownKey, verdict: Verdict, also: Sequence[KnownKey] = ()) -> str:
    """What a person is asked."""
    dial = about.dial
    lines = [
        f"The host key of {about.server} is unknown: {dial.by} dials {dial}, and nothing is filed under {about.filed}.",
        f"  {shown}",
    ]
    if verdict.certificate:
        lines.append(f"  its certificate {clean(verdict.certificate, 200)}")
    if also:
        lines.append(f"  the same key is known elsewhere: {_places([key.where for key in also])}")
    return "\n".join((*lines, "Is that the server's own fingerprint? (yes/no/the fingerprint)"))


def kept(about: About, shown: ShownKey, file: str) -> str:
    """What a person is told of a key that was written."""
    return f"the host key of {about.filed} was new and is kept in {clean(file)}: {shown}"


def _places(places: Sequence[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return clean(", ".join(places[:_SHOWN]), 600) + more
