"""An authority of the tests' own, and certificates that it signs."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "desk.example"


@dataclass(frozen=True)
class Certificates:
    """Files in a folder: the authority's certificate, and one for :data:`NAME` and 127.0.0.1 with its key."""

    folder: Path

    @cached_property
    def authority(self) -> Path:
        self._make()
        return self.folder / "ca.pem"

    @cached_property
    def chain(self) -> Path:
        """Certificate and key."""
        assert self.authority.exists()
        return self.folder / "server.pem"

    @cached_property
    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context

    def _make(self) -> None:
        root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority, issuer = _name("authority"), _name("authority")
        usage = x509.KeyUsage(
            *(False,) * 5, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False
        )
        identifier = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
        made = (
            _begun(authority, issuer, root)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(root, hashes.SHA256())
        )
        names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        leaf = (
            _begun(_name(NAME), issuer, own)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
            .sign(root, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        key = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / "ca.pem").write_bytes(made.public_bytes(pem))
        (self.folder / "server.pem").write_bytes(leaf.public_bytes(pem) + key)
        (self.folder / "server.pem").chmod(0o600)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )
