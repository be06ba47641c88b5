"""The fields of ``transport: openssh``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

KEYWORDS = (
    "AddressFamily",
    "BindAddress",
    "BindInterface",
    "CASignatureAlgorithms",
    "Ciphers",
    "Compression",
    "ConnectionAttempts",
    "GSSAPIAuthentication",
    "GSSAPIDelegateCredentials",
    "HostbasedAuthentication",
    "HostKeyAlgorithms",
    "IPQoS",
    "KbdInteractiveAuthentication",
    "KexAlgorithms",
    "MACs",
    "NumberOfPasswordPrompts",
    "PasswordAuthentication",
    "PreferredAuthentications",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAuthentication",
    "RekeyLimit",
    "RequiredRSASize",
    "RevokedHostKeys",
    "TCPKeepAlive",
)
"""What a topology may set of ssh_config(5): nothing that runs a program, reads a stranger's file or trusts a stranger.
Your own ssh_config may say everything."""
_BY_LOWER = {keyword.lower(): keyword for keyword in KEYWORDS}


def _known(keyword: str) -> str:
    if keyword.lower() not in _BY_LOWER:
        raise ValueError(f"{keyword} is not for a topology: set it in your own ssh_config; here: {', '.join(KEYWORDS)}")
    return _BY_LOWER[keyword.lower()]


def _value(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("it must be the value of a keyword of ssh_config")
    return text


class Fields(BaseModel):
    """How the system's ssh is run."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    options: dict[Annotated[str, AfterValidator(_known)], Annotated[str, AfterValidator(_value)]] = {}
    """Keywords of ssh_config, as with `ssh -o`: `{Ciphers: aes128-gcm@openssh.com, AddressFamily: inet}`. What runs
    programs (ProxyCommand, Match exec) only your own ssh_config may say."""
