"""Whatever a stranger writes is parsed or refused with the right error, soon, and without a traceback."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from orchestra_plugins.socks.allow import parse_entry
from orchestra_plugins.socks.datagrams import Unfit, read, split
from orchestra_plugins.socks.request import Request

from orchestra.control.codec import decode_error, decode_event, decode_status, encode_event, encode_status
from orchestra.engine.builtin import orchestra_secrets
from orchestra.engine.ssh.certificates import parse_certificate
from orchestra.engine.ssh.hostkeys import ShownKey, TrustedKeys, judge, matches, parse, rsa_bits, select, unreadable
from orchestra.engine.ssh.revocations import MAGIC, Revocations, parse_revocations
from orchestra.engine.ssh.wire import pack
from orchestra.loading import load
from orchestra.loading.faults import Fault
from orchestra.loading.shapes.ssh import host_key_line, login, permitted
from orchestra.loading.shapes.values import duration
from orchestra.loading.sshconfig.choosing import Context, Source
from orchestra.loading.sshconfig.files import Library, Text
from orchestra.loading.sshconfig.resolving import resolve
from orchestra.model.address import AddressError, Endpoint, UnixPath, parse_address
from orchestra.model.events import Noticed, Occurrence, SessionChanged
from orchestra.model.names import UnsafeName, check_alias, check_file, check_user
from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus
from orchestra.model.text import clean
from orchestra.plugin.vocabulary import Vocabulary
from tests.engine.ssh.sshd import make_key
from tests.engine.ssh.test_hostkeys import KEY, OTHER, hashed
from tests.fuzz.mutate import mutations, survives
from tests.plugins.socks.talk import LOGIN, talk

ROOT = Path(__file__).parents[2]
TOPOLOGIES = sorted([*(ROOT / "topologies").glob("*.yaml"), *(ROOT / "tests" / "loading" / "errors").glob("*.yaml")])
SECRETS = b"""servers:
  a: {ssh: {host: a, password: {env: PW}, passphrase: {file: ~/x}, private_key: {command: [pass, show, "a b"]}}}
"""
VOCABULARY = Vocabulary(secrets={source.spec.name: source.spec for source in orchestra_secrets()})


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """One for the run; a failure names it."""
    return int(pytestconfig.option.seed)


def test_the_same_seed_makes_the_same_inputs() -> None:
    corpus = [b"one two", b"three"]
    assert list(mutations(corpus, 7, 50)) == list(mutations(corpus, 7, 50))
    assert len(set(mutations(corpus, 7, 200))) > 100


def test_topologies(seed: int) -> None:
    def parse_topology(data: bytes) -> None:
        loaded = load(["-"], environ={"HOME": "/home/me"}, vocabulary=VOCABULARY, stdin=data)
        assert loaded.topology is not None or loaded.diagnostics
        for each in loaded.diagnostics:
            assert each.place is None or (each.place.line >= 1 and each.place.column >= 1)

    survives(parse_topology, [SECRETS, *(file.read_bytes() for file in TOPOLOGIES)], seed)


ADDRESSES = [
    *(b"22", b"host:22", b"[::1]:22", b"::1/22", b"*:5920", b"auto", b"localhost:auto", b"unix:/run/x.sock", b"h:0"),
    *(b"fe80::1%eth0/22", b"alice@gw.example:2222", b"db.internal", b"1.2.3.4:5", b"15s", b"1h30m", b"~/.ssh/id"),
]


def test_addresses_and_names(seed: int) -> None:
    def parse_text(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        for checked in (permitted, host_key_line, login, duration):
            with suppress(Fault):
                checked(text)
        for check in (check_user, check_file, check_alias):
            with suppress(UnsafeName):
                check(text)
        found = parse_address(text, listening=True, port_required=False)
        again = parse_address(str(found), listening=True, port_required=False)
        assert again == found
        assert isinstance(found, UnixPath) or str(found).isprintable()

    survives(parse_text, ADDRESSES, seed, AddressError)


def test_known_hosts(seed: int) -> None:
    corpus = [
        f"gw {KEY}\n# a comment\n[gw]:2222,10.0.0.1 {OTHER} me@here\n".encode(),
        f"@revoked * {KEY}\n@cert-authority *.example,!x.example {OTHER}\n".encode(),
        f"{hashed('gw')} {KEY}\n|1|broken {KEY}\n".encode(),
    ]

    def parse_known_hosts(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        keys = list(parse(text, "f"))
        bad = set(unreadable(text, "f"))
        assert not bad & {key.where for key in keys}
        for name, port in (("gw", 22), ("gw", 2222), ("", 1)):
            trusted = select(keys, name, port)
            shown = ShownKey(next((key.blob for key in keys), b""))
            assert judge(shown, trusted, Revocations(), 0.0).standing in {"known", "unknown", "changed", "revoked"}
        matches(text, "gw")

    survives(parse_known_hosts, corpus, seed)


def test_patterns_that_could_take_for_ever() -> None:
    assert not matches("*a" * 40 + "b", "a" * 250)
    assert not matches("?*" * 100 + "!", "a" * 150)


def test_keys_certificates_and_revocations(seed: int, tmp_path: Path) -> None:
    make_key(tmp_path / "ca")
    make_key(tmp_path / "rsa", "rsa", "-b", "1024")
    keygen = ("ssh-keygen", "-q")
    subprocess.run([*keygen, "-s", f"{tmp_path}/ca", "-I", "x", "-h", "-n", "gw", f"{tmp_path}/rsa.pub"], check=True)
    (tmp_path / "spec").write_text("serial: 1-9\nserial: 11\nserial: 13\nid: x\n")
    make = [
        *keygen,
        "-k",
        "-f",
        f"{tmp_path}/krl",
        "-s",
        f"{tmp_path}/ca.pub",
        f"{tmp_path}/spec",
        f"{tmp_path}/rsa.pub",
    ]
    subprocess.run(make, check=True)
    blobs = [base64.b64decode((tmp_path / name).read_text().split()[1]) for name in ("rsa-cert.pub", "rsa.pub")]
    certificate = parse_certificate(blobs[0])
    lists = [
        (tmp_path / "krl").read_bytes(),
        f"{KEY}\n# x\n{OTHER}\n".encode(),
        MAGIC + struct.pack(">IQQQ", 1, 1, 1, 0) + pack(b"") + pack(b"") + b"\x01" + pack(pack(b"") + pack(b"")),
    ]

    def parse_blob(data: bytes) -> None:
        with suppress(ValueError):
            rsa_bits(data)
        found = parse_certificate(data)
        judge(ShownKey(data, found), TrustedKeys("gw"), Revocations(), 1.0)

    survives(parse_blob, blobs, seed, ValueError)
    survives(lambda data: parse_revocations(data).has(blobs[1], certificate), lists, seed, ValueError)


def test_ssh_config(seed: int) -> None:
    corpus = [
        b'Host gw !bad\n  HostName %h.example\n  User "a b"\n  IdentityFile ~/.ssh/%r\nMatch exec "id" user x\nPort 22',
        b"Include ~/.ssh/conf.d/*\nProxyJump a@b:22,c\nHostKeyAlgorithms +ssh-rsa,-x*\nUserKnownHostsFile none /a\n",
        b"Match final all\n KnownHostsCommand /bin/k %H %t\nHost *\n\tServerAliveInterval 1m30\nHashKnownHosts yes",
    ]
    context = Context(
        home="/home/me",
        user="me",
        uid=1,
        hostname="here",
        environ={},
        glob=lambda _: ("/home/me/.ssh/conf.d/x",),
        addresses=tuple,
    )

    def parse_config(data: bytes) -> None:
        text = Text(text=data.decode("utf-8", "surrogateescape"))
        library = Library(read=lambda path: text if path.endswith("config") else Text(text="User other\n"))
        found = resolve([Source(path="/home/me/.ssh/config")], library, "gw", context)
        assert all(remark.message for remark in (*found.warnings, *found.refusals))

    survives(parse_config, corpus, seed)


def test_messages_of_the_control_socket(seed: int) -> None:
    error = ErrorStatus(code="X", host=None, message="m", since=1.0, attempts=1, next_retry=None)
    status = Status(
        topology="t",
        name="n",
        pid=1,
        version="0",
        file="f",
        state="ready",
        sessions=(SessionStatus(id="s", server="s", state="open", error=error),),
        tunnels=(TunnelStatus(name="t", state="ready", proven=True, listen=("127.0.0.1:1",)),),
    )
    events = (SessionChanged(id="s", server="s", state="open", error=error), Noticed(host="s", message="m"))
    documents: list[Any] = [
        encode_status(status),
        *(encode_event(Occurrence(event=event, time=1.0)) for event in events),
    ]

    def parse_message(data: bytes) -> None:
        document = json.loads(data)
        for decode in (decode_status, decode_event, decode_error):
            with suppress(KeyError, TypeError, AttributeError):
                decode(document)

    corpus = [json.dumps(document).encode() for document in documents]
    survives(parse_message, corpus, seed, ValueError, RecursionError)


def test_text_of_peers(seed: int) -> None:
    corpus = [b"Last login: \x1b[31mnever\x1b[0m\r\n", "\u202eevil\u2069 \u0335\u0335".encode(), b"\x9b2J\x00plain"]

    def parse_text(data: bytes) -> None:
        for shown in (clean(data), clean(data.decode("utf-8", "surrogateescape"))):
            assert len(shown) <= 400
            assert shown.isprintable(), ascii(shown)

    survives(parse_text, corpus, seed)


def test_handshakes_with_a_proxy(seed: int) -> None:
    corpus = [
        b"\4\1\x1f\x90\0\0\0\1alice\0db.internal\0rest",
        b"\5\2\0\2" + b"\1\5alice\6s3cret" + b"\5\1\0\3\x0bdb.internal\x1f\x90rest",
        b"\5\1\0" + b"\5\1\0\4" + bytes(10) + b"\xff\xff\x0a\0\0\7\0\x50",
        b"\5\1\0" + b"\5\3\0\1" + bytes(6),
        b"CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic YWxpY2U6czNjcmV0\r\n\r\n\x16\x03",
    ]

    def handshake(data: bytes) -> None:
        for wanted in (None, LOGIN):
            answer, ended = talk(data, wanted)
            assert len(answer) < 1000
            if isinstance(ended.request, Request):
                where = parse_address(str(Endpoint(ended.request.host, ended.request.port)))
                assert where == Endpoint(ended.request.host, ended.request.port)
            assert ended.refused is None or ended.refused.isprintable()

    survives(handshake, corpus, seed)


def test_datagrams_to_a_proxy(seed: int) -> None:
    corpus = [
        b"\0\0\0\1\x0a\0\0\7\0\x35question",
        b"\0\0\0\3\x0bdb.internal\0\x35question",
        b"\0\0\0\4" + bytes(10) + b"\xff\xff\x0a\0\0\7\0\x35",
    ]

    def datagram(data: bytes) -> None:
        with suppress(Unfit):
            header, body = split(data)
            assert header + body == data
            host, port = read(header)
            assert parse_address(str(Endpoint(host, port))) == Endpoint(host, port)

    survives(datagram, corpus, seed)


def test_allow_lists_of_a_proxy(seed: int) -> None:
    def entry(data: bytes) -> None:
        parsed = parse_entry(data.decode("utf-8", "surrogateescape"))
        assert parsed.covers("10.0.0.1", 22) in {True, False}

    survives(entry, [b"10.0.0.0/8:*", b"[fd00::/64]:22", b"*.office.example:8000-8100", b"*:443"], seed, AddressError)
