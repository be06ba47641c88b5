"""Every check that comes along, with a target in memory that answers it well."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from orchestra_plugins import checks

from orchestra.engine import builtin
from orchestra.engine.checks import TcpCheck
from orchestra.loading import load
from orchestra.model.topology import SecretRef
from orchestra.plugin.manager import load_plugins
from orchestra.session import Receiver, Stream
from orchestra.testing import run_virtual
from orchestra.testing.checks import Subject, run_check
from orchestra.testing.targets import Script, Step, after
from tests.plugins.checks.certificates import NAME, Certificates

CHECKS = {check.spec.name: check for check in checks.orchestra_checks()}
VOCABULARY = load_plugins([builtin, checks], entry_points=False).vocabulary
PASSWORD = SecretRef(kind="env", value="PW")
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
PG_LOGIN = b"R\0\0\0\x08\0\0\0\x03"
RFB_NONE = b"\x01\x01"


def dns_answer(heard: bytes) -> bytes | None:
    """REFUSED, to the question that was asked."""
    if len(heard) < 2 or len(heard) < 2 + int.from_bytes(heard[:2]):
        return None
    message = heard[2:4] + b"\x81\x85" + heard[6:]
    return len(message).to_bytes(2) + message


class Secured:
    """A target under TLS: what passes is encrypted, and its words are not."""

    def __init__(self, target: Receiver, context: ssl.SSLContext) -> None:
        self._target = target
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken = False

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream

    def data_received(self, data: bytes, /) -> None:
        self._incoming.write(data)
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                self._target.connection_made(self)
            while plain := self._tls.read(65536):
                self._target.data_received(plain)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._flush()
            self._stream.close()
        self._flush()

    def write(self, data: bytes, /) -> None:
        self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._stream.write(data)

    def eof_received(self) -> bool | None:
        return False

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...

    def connection_lost(self, exc: Exception | None, /) -> None:
        self._target.connection_lost(exc)

    def close(self) -> None:
        self._stream.close()


def subject(name: str, target: Callable[[], Receiver], /, **options: object) -> Subject:
    return Subject(CHECKS[name], target, options=options, secrets={PASSWORD: b"s3cret"})


def subjects(certificates: Certificates) -> dict[str, Subject]:
    """By what is shown of each."""
    quit_, server = after(rb"QUIT", b"221 bye\r\n"), certificates.server
    verified = {"host": NAME, "ca": certificates.authority}
    page = after(rb"^GET / HTTP/1.1\r\nHost: .*\r\n\r\n", PAGE)
    ping, bye = after(rb"\*1\r\n\$4\r\nPING\r\n", b"+PONG\r\n"), after(rb"QUIT\r\n", b"+OK\r\n")
    auth = after(rb"AUTH\r\n\$2\r\nme\r\n\$6\r\ns3cret\r\n", b"+OK\r\n")
    return {
        "tcp": Subject(TcpCheck(), Script, listens=False),
        "banner": subject("banner", lambda: Script(b"hello ready\n"), expect="ready$"),
        "banner, asked": subject("banner", lambda: Script(after(rb"hi\n", b"ok 1\n")), send="hi\n", expect=r"ok \d\n"),
        "ssh": subject("ssh", lambda: Script(b"welcome\r\nSSH-2.0-OpenSSH_9.2\r\n", after(rb"\0\0\0\x0b"))),
        "http": subject("http", lambda: Script(page)),
        "http, page": subject("http", lambda: Script(page), expect="hel+o", status=[(200, 299)]),
        "https": subject("https", lambda: Secured(Script(page), server), **verified),
        "smtp": subject("smtp", lambda: Script(b"220-mail\r\n220 ready\r\n", quit_)),
        "smtps": subject("smtp", lambda: Secured(Script(b"220 ready\r\n", quit_), server), tls=True, **verified),
        "pop3": subject("pop3", lambda: Script(b"+OK ready\r\n", after(rb"QUIT", b"+OK\r\n"))),
        "imap": subject("imap", lambda: Script(b"* OK ready\r\n", after(rb"a LOGOUT", b"* BYE\r\na OK\r\n"))),
        "ftp": subject("ftp", lambda: Script(b"220-Welcome\r\n220 ready\r\n", quit_)),
        "vnc": subject("vnc", lambda: Script(b"RFB 003.008\n", after(rb"RFB", RFB_NONE), after(rb"\x01", bytes(4)))),
        "dns": subject("dns", lambda: Script(dns_answer)),
        "postgres": subject("postgres", lambda: Script(after(rb"\x04\xd2\x16\x2f", b"N"))),
        "postgres, user": subject(
            "postgres", lambda: Script(after(rb"\x04\xd2\x16\x2f", b"N"), after(rb"user\0me\0", PG_LOGIN)), user="me"
        ),
        "redis": subject("redis", lambda: Script(ping, bye)),
        "redis, user": subject("redis", lambda: Script(auth, ping, bye), user="me", password=PASSWORD),
    }


NAMES = (
    *("tcp", "banner", "banner, asked", "ssh", "http", "http, page", "https", "smtp", "smtps", "pop3", "imap", "ftp"),
    *("vnc", "dns", "postgres", "postgres, user", "redis", "redis, user"),
)
"""In order."""


def says(subject_: Subject) -> str | None:
    """What is wrong with its target, without who dialed what; nothing where it is good."""
    failure, _ = run_virtual(run_check(subject_, subject_.target))
    return None if failure is None else str(failure).removeprefix("gateway dialed desk:4000 (desk): ")


def said(name: str, /, *steps: Step, **options: object) -> str | None:
    """The same of a target that goes through these steps."""
    return says(subject(name, lambda: Script(*steps), **options))


def faults(check: str) -> list[str]:
    """What is wrong with it in a file: the path below ``check``, and the message."""
    text = f"targets: {{t: 'x:80'}}\ntunnels: {{t: {{check: {check}}}}}\n"
    loaded = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text)
    return [
        f"{(each.path or '').removeprefix('tunnels.t.check').lstrip('.')}: {each.message}"
        for each in loaded.diagnostics
    ]
