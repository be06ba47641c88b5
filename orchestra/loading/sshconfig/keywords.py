"""Every keyword of ssh_config(5): what may stand after it, and whether a tunnel can tell the difference.

Keywords that are not known are errors, as in ssh; that includes those of OpenSSH up to 10.2, the ones that Debian adds
for GSSAPI, and Apple's UseKeychain.
"""

from __future__ import annotations

from orchestra.loading.sshconfig.values import (
    FLAG,
    Parse,
    anything,
    command,
    jumps,
    number,
    one_of,
    port,
    time,
    word,
    words,
)
from orchestra.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Keyword:
    """``name`` as ssh_config(5) writes it. ``heeded``: something here depends on it."""

    name: str
    parse: Parse
    heeded: bool = True
    adds: bool = False
    """Each occurrence adds one value; otherwise the first one decides."""


STRICT = one_of(
    yes="strict",
    true="strict",
    ask="ask",
    accept_new="accept-new",
    no="off",
    false="off",
    off="off",
)
FAMILY = one_of(any="any", inet="ipv4", inet6="ipv6")
ASK = one_of(yes="yes", true="yes", no="no", false="no", ask="ask")
CANONICALIZE = one_of(yes="yes", true="yes", no="no", false="no", always="always")
PUBKEY = one_of(yes=True, true=True, unbound=True, host_bound=True, no=False, false=False)

_HEEDED: tuple[tuple[str, Parse], ...] = (
    ("AddressFamily", FAMILY),
    ("BatchMode", FLAG),
    ("BindAddress", word),
    ("BindInterface", word),
    ("CanonicalDomains", words),
    ("CanonicalizeHostname", CANONICALIZE),
    ("CanonicalizeMaxDots", number),
    ("CanonicalizePermittedCNAMEs", anything),
    ("CASignatureAlgorithms", word),
    ("Ciphers", word),
    ("ConnectTimeout", time),
    ("GlobalKnownHostsFile", words),
    ("HashKnownHosts", FLAG),
    ("HostbasedAuthentication", FLAG),
    ("HostKeyAlgorithms", word),
    ("HostKeyAlias", word),
    ("Hostname", word),
    ("IdentitiesOnly", FLAG),
    ("IdentityAgent", word),
    ("IgnoreUnknown", word),
    ("KbdInteractiveAuthentication", FLAG),
    ("KexAlgorithms", word),
    ("KnownHostsCommand", command),
    ("LocalCommand", command),
    ("MACs", word),
    ("NoHostAuthenticationForLocalhost", FLAG),
    ("NumberOfPasswordPrompts", number),
    ("PasswordAuthentication", FLAG),
    ("PermitLocalCommand", FLAG),
    ("PKCS11Provider", word),
    ("Port", port),
    ("PreferredAuthentications", word),
    ("ProxyCommand", command),
    ("ProxyJump", jumps),
    ("PubkeyAcceptedAlgorithms", word),
    ("PubkeyAuthentication", PUBKEY),
    ("RefuseConnection", word),
    ("RequiredRSASize", number),
    ("RevokedHostKeys", word),
    ("SecurityKeyProvider", word),
    ("ServerAliveCountMax", number),
    ("ServerAliveInterval", time),
    ("StrictHostKeyChecking", STRICT),
    ("Tag", word),
    ("User", word),
    ("UserKnownHostsFile", words),
    ("VerifyHostKeyDNS", ASK),
)
_ADDING = (("IdentityFile", word), ("CertificateFile", word))
_FORWARDS = ("DynamicForward", "LocalForward", "RemoteForward")
_FLAGS = (
    "CanonicalizeFallbackLocal CheckHostIP ClearAllForwardings EnableEscapeCommandline EnableSSHKeysign"
    " ExitOnForwardFailure ForkAfterAuthentication ForwardX11 ForwardX11Trusted GatewayPorts GSSAPIAuthentication"
    " GSSAPIDelegateCredentials ProxyUseFdpass StdinNull StreamLocalBindUnlink TCPKeepAlive VisualHostKey"
)
_NUMBERS = "ConnectionAttempts"
_TIMES = "ForwardX11Timeout"
_WORDS = "ControlPath FingerprintHash KbdInteractiveDevices LogLevel SyslogFacility VersionAddendum XAuthLocation"
_COMMANDS = "RemoteCommand"
_ANYTHING = (
    "AddKeysToAgent ChannelTimeout Compression ControlMaster ControlPersist EscapeChar ForwardAgent"
    " HostbasedAcceptedAlgorithms IPQoS LogVerbose ObscureKeystrokeTiming PermitRemoteOpen RekeyLimit"
    " RequestTTY SendEnv SessionType SetEnv StreamLocalBindMask Tunnel TunnelDevice UpdateHostKeys"
    " WarnWeakCrypto"
    " GSSAPIClientIdentity GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey GSSAPIServerIdentity"
    " GSSAPITrustDNS UseKeychain"
    " AFSTokenPassing Cipher CompressionLevel FallBackToRsh GlobalKnownHostsFile2 KerberosAuthentication"
    " KerberosTGTPassing Protocol RhostsAuthentication RhostsRSAAuthentication RSAAuthentication SmartcardDevice"
    " UseBlacklistedKeys UsePrivilegedPort UserKnownHostsFile2 UseRoaming UseRsh"
)
_UNHEEDED: tuple[tuple[str, Parse], ...] = (
    (_FLAGS, FLAG),
    (_NUMBERS, number),
    (_TIMES, time),
    (_WORDS, word),
    (_COMMANDS, command),
    (_ANYTHING, anything),
)
_OTHER_NAMES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "hostbasedkeytypes": "hostbasedacceptedalgorithms",
    "identityfile2": "identityfile",
    "keepalive": "tcpkeepalive",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "skeyauthentication": "kbdinteractiveauthentication",
    "tisauthentication": "kbdinteractiveauthentication",
}
SECTIONS = frozenset({"host", "match", "include"})


def _table() -> dict[str, Keyword]:
    known = [Keyword(name, parse) for name, parse in _HEEDED]
    known += [Keyword(name, parse, adds=True) for name, parse in _ADDING]
    known += [Keyword(name, anything, heeded=False, adds=True) for name in _FORWARDS]
    known += [Keyword(name, parse, heeded=False) for names, parse in _UNHEEDED for name in names.split()]
    table = {keyword.name.lower(): keyword for keyword in known}
    return table | {other: table[name] for other, name in _OTHER_NAMES.items()}


KEYWORDS = _table()
"""Lower-case name, also an old one, to the keyword."""
