"""Keywords that cannot be honoured: some are worth a word, and with some the server is better not dialed at all.

What has no meaning for a tunnel (agent forwarding, control sockets, terminals) is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestra.diagnostics import Code, Place
from orchestra.loading.sshconfig.choosing import Choice, Remark
from orchestra.loading.sshconfig.values import NONE, Jump
from orchestra.model.address import SSH_PORT, AddressError, check_host_name, parse_ip
from orchestra.model.text import clean

_IGNORED = {
    "hostbasedauthentication": (True, "HostbasedAuthentication is not offered"),
    "nohostauthenticationforlocalhost": (
        True,
        "NoHostAuthenticationForLocalhost is not followed: host keys are checked everywhere",
    ),
    "permitlocalcommand": (True, "LocalCommand is not run"),
    "verifyhostkeydns": ("yes", "VerifyHostKeyDNS is not followed: host keys are looked up in files only"),
    "stricthostkeychecking": (
        "off",
        "StrictHostKeyChecking no is read as accept-new: a new key is kept, a changed one is refused",
    ),
}
_BY_DEFAULT = frozenset({NONE, "internal", "$SSH_SK_PROVIDER"})


def ignored(choice: Choice) -> Iterator[Remark]:
    """What is not honoured, and makes nothing less safe."""
    for keyword, (value, message) in _IGNORED.items():
        if choice.value(keyword) == value and (keyword != "permitlocalcommand" or _set(choice, "localcommand")):
            yield _remark(choice, keyword, message)
    if _set(choice, "pkcs11provider") and not _only_by_token(choice):
        yield _remark(choice, "pkcs11provider", "PKCS11Provider is not used: its keys are not offered")
    if choice.value("securitykeyprovider", NONE) not in _BY_DEFAULT:
        yield _remark(choice, "securitykeyprovider", "SecurityKeyProvider is not used")


def refused(choice: Choice, jumps: Sequence[Jump], *, proxied: bool) -> Iterator[Remark]:
    """What would be less safe to ignore, or would lead elsewhere. ``proxied``: ssh would go through something."""
    if (named := choice.settings.get("hostname")) and named.place and (why := _no_host_name(choice.host)):
        yield Remark(code=Code.SSH_CONFIG_INVALID, message=f"Hostname: {clean(why)}", place=named.place)
    if jumps and _is_itself(choice, jumps[-1]):
        text = f"ProxyJump leads through {clean(choice.host)} to itself"
        yield Remark(code=Code.SSH_CONFIG_INVALID, message=text, place=_proxy(choice))
    if "refuseconnection" in choice.settings:
        said = clean(choice.value("refuseconnection"), 200)
        yield _refusal(choice, "refuseconnection", f"RefuseConnection: {said}", "ask whoever wrote that line")
    if proxied and not jumps:
        said = clean(choice.value("proxycommand"), 120)
        text = f"ProxyCommand {said}: this transport dials by itself, or through other servers"
        yield _refusal(choice, "proxycommand", text, "use ProxyJump, or say in the topology how it is reached")
    if _set(choice, "bindinterface"):
        name = clean(choice.value("bindinterface"), 60)
        yield _refusal(
            choice,
            "bindinterface",
            f"BindInterface {name}: connections cannot be bound to an interface",
            "use BindAddress",
        )
    if _only_by_token(choice):
        text = "PKCS11Provider with IdentitiesOnly: keys of a token cannot be offered, and no other may be"
        yield _refusal(choice, "pkcs11provider", text, "add the token's keys to an agent: ssh-add -s LIBRARY")
    if _looks_up(choice, proxied=proxied):
        text = f"CanonicalizeHostname would look up {clean(choice.host)} in the DNS to choose its settings"
        yield _refusal(choice, "canonicalizehostname", text, "write the full name as `host`")
    elif not proxied and any(each.lower() != NONE for each in choice.value("canonicalizepermittedcnames", ())):
        text = f"CanonicalizePermittedCNAMEs would look up {clean(choice.host)} in the DNS"
        yield _refusal(choice, "canonicalizepermittedcnames", text, "write the full name as `host`")


def _no_host_name(text: str) -> str | None:
    try:
        check_host_name(text)
    except AddressError as error:
        return str(error)
    return None


def _proxy(choice: Choice) -> Place | None:
    return choice.settings["proxyjump" if choice.value("proxyjump") else "proxycommand"].place


def _is_itself(choice: Choice, jump: Jump) -> bool:
    port, user = choice.value("port", SSH_PORT), choice.value("user")
    return (jump.host, jump.port or SSH_PORT, jump.user or user) == (choice.host, port, user)


def _set(choice: Choice, keyword: str) -> bool:
    value = choice.value(keyword)
    return value is not None and value.lower() != NONE


def _only_by_token(choice: Choice) -> bool:
    files = [each for each in choice.added.get("identityfile", ()) if each.value.lower() != NONE]
    return _set(choice, "pkcs11provider") and choice.value("identitiesonly", False) and not files


def _looks_up(choice: Choice, *, proxied: bool) -> bool:
    mode = choice.value("canonicalizehostname", "no")
    if mode == "no" or (proxied and mode != "always") or parse_ip(choice.host) is not None:
        return False
    domains = [each for each in choice.value("canonicaldomains", ()) if each.lower() != NONE]
    return bool(domains) and choice.host.count(".") <= choice.value("canonicalizemaxdots", 1)


def _remark(choice: Choice, keyword: str, message: str) -> Remark:
    return Remark(code=Code.SSH_CONFIG_IGNORED, message=message, place=choice.settings[keyword].place)


def _refusal(choice: Choice, keyword: str, message: str, suggestion: str) -> Remark:
    place = choice.settings[keyword].place
    return Remark(code=Code.SSH_CONFIG_REFUSED, message=message, place=place, suggestion=suggestion)
