"""What asyncssh does not promise to keep is touched here, in :mod:`.datapath` and in :mod:`.direct`, nowhere else; each
touch with its reason, and each module with tests of its own that fail when what it assumes of asyncssh 2.24 does not
hold.

There are three because two of them do a part of asyncssh's work in its place, for speed: ``datapath`` the packets of
channels, ``direct`` how a channel opens and ends. With an asyncssh that :func:`.datapath.fits` does not know there is
neither, and it does that work itself. What is here changes single habits of a connection, of any asyncssh, and asks it
what it has no public call for. Host keys, signs of life and ends of streams depend on that: a new asyncssh has to pass
the tests before it is used.
"""

# ruff: noqa: SLF001 - this module is the one that reaches in

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import asyncssh
from asyncssh import sk

from orchestra.engine.ssh.algorithms import assemble
from orchestra.engine.ssh.certificates import SIGNATURES
from orchestra.engine.ssh.datapath import (
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_IGNORE,
    DataPath,
    fits,
)
from orchestra.engine.ssh.direct import DirectChannel, tcp
from orchestra.engine.ssh.gcm import GCM
from orchestra.engine.ssh.spaces import Spaces

HAS_FIDO2 = sk.sk_available
"""Whether the library is there that talks to security keys; without it asyncssh fails in the middle of signing."""
_KEEPALIVE = b"keepalive@openssh.com"
_AUTHENTICATED = ("GCMEncryption", "ChachaEncryption")


def tune(
    connection: asyncssh.SSHClientConnection, progress: Callable[[], tuple[int, int]], spaces: Spaces
) -> Callable[[bytes | memoryview], None]:
    """Prepares a connection before its first byte. Gives what takes the bytes that it receives; ``progress`` is that
    of those that it sends: how many were written so far, and how many of them have arrived."""
    path = DataPath(connection, spaces) if fits(connection) else None
    connection.orchestra_path = path  # type: ignore[attr-defined]
    if path is not None and not connection.logger.isEnabledFor(logging.INFO):
        connection._logger = _Quiet(connection.logger)  # type: ignore[assignment]
    _prepare_channels(connection, path)
    _with_short_ways(connection, path)
    _with_signs_of_life(connection, progress)
    _with_kept_ciphers(connection)
    return path.receive if path is not None else lambda data: connection.data_received(bytes(data))


def write(channel: Any, data: bytes | memoryview) -> None:
    """Writes to a channel, as its ``write`` does."""
    path: DataPath | None = getattr(channel, "orchestra_path", None)
    rest = path.send(channel, data) if path is not None else data
    if rest:
        channel.write(rest)


def open_stream(
    connection: Any, stream: Any, host: str, port: int, packet: int, opened: Callable[[Exception | None], None]
) -> bool:
    """Has the server dial for ``stream``, whose receive window is its own; ``opened`` is told that its channel is open,
    or why not. False with another asyncssh, or when there is none any more: then nothing was done.

    They are told at once, where the packet is processed; asyncssh wakes two tasks for it, one after the other.
    """
    if getattr(connection, "orchestra_path", None) is None or connection._transport is None:
        return False
    connection._update_recv_pktlen(packet)
    DirectChannel(connection, stream, packet, opened).ask(*tcp(host, port))
    return True


def is_dead(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether its transport has gone. ``is_closed`` tells only after all channels were told, one loop turn later,
    and they have to know whether they ended alone."""
    return getattr(connection, "_transport", connection) is None or connection.is_closed()


def is_opening(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether nobody is logged in yet."""
    return not getattr(connection, "_auth_complete", True)


async def ping(connection: asyncssh.SSHClientConnection) -> None:
    """One global request with a reply, which any server answers, if only by a failure (RFC 4254 section 4).

    asyncssh has no public call for it besides its timer.
    """
    await connection._make_global_request(_KEEPALIVE)


def heard(connection: asyncssh.SSHClientConnection) -> float:
    """When it last received anything, by the event loop's clock."""
    return float(getattr(connection, "orchestra_heard", 0.0))


def eof_was_received(channel: Any) -> bool:
    """Whether the peer has sent CHANNEL_EOF, also when asyncssh never delivers it: followed by CHANNEL_CLOSE while
    reading is paused, it only reports the close."""
    return bool(getattr(channel, "orchestra_eof", False))


def set_window(listener: Any, window: int) -> None:
    """The receive window of the next channel that a remote listener accepts; asyncssh asks for it once, when the
    listener opens, but reads it again for each channel."""
    listener._window = window


def take_window(channel: Any) -> bool:
    """Takes the receive window of a channel that has just opened over from asyncssh; False when it stays there.

    asyncssh fills it up to one size as soon as less than half is left, whatever waits to be read: who reads a little at
    a time is sent a window for each little. It never fills up one that it takes for empty.
    """
    if getattr(channel, "orchestra_path", None) is None:
        return False
    channel._init_recv_window = 0
    return True


def grant(channel: Any, size: int) -> None:
    """Lets the peer send so many bytes more."""
    channel._recv_window += size
    channel.send_packet(MSG_CHANNEL_WINDOW_ADJUST, size.to_bytes(4, "big"))


def host_key_algorithms(spec: str | None, known: Iterable[str], *, authorities: bool) -> list[str]:
    """Host key algorithms in the order to ask for. ``spec`` is HostKeyAlgorithms of ssh_config(5), ``known`` are types
    of keys: without a list of the user's own, what is known for the name comes first, as in ssh, then the rest.

    asyncssh alone would ask for nothing but the known ones, so that a changed key of another type looked like a
    failed key exchange; and it still accepts signatures with SHA-1, which ssh does only when it is told to.
    """
    from asyncssh import public_key

    supported = _names(public_key.get_public_key_algs())
    every = [name for name in SIGNATURES if name in supported]
    certified = _names(public_key.get_certificate_algs()) if authorities else []
    certificates = [name for name in certified if not name.startswith(("ssh-rsa-", "ssh-dss-"))]
    default = [*certificates, *every]
    if spec is None or spec.startswith("-"):
        first = [name for kind in known for name in every if name == kind or (kind, name[:4]) == ("ssh-rsa", "rsa-")]
        default = list(dict.fromkeys([*certificates, *first, *every]))
    return list(assemble(spec, default, [*certified, *supported]))


def negotiable() -> dict[str, tuple[list[str], list[str]]]:
    """Options of asyncssh.connect to the algorithms that it asks for by itself, and to all that it has."""
    from asyncssh import encryption, kex, mac

    return {
        "kex_algs": (_names(kex.get_default_kex_algs()), _names(kex.get_kex_algs())),
        "encryption_algs": (_names(encryption.get_default_encryption_algs()), _names(encryption.get_encryption_algs())),
        "mac_algs": (_names(mac.get_default_mac_algs()), _names(mac.get_mac_algs())),
    }


def _names(algorithms: Iterable[bytes]) -> list[str]:
    return [name.decode() for name in algorithms]


def decode_host_key(blob: bytes) -> asyncssh.SSHKey:
    """The public key that a server shows, bare or in a certificate whose signature is good. Raises KeyImportError."""
    from asyncssh.public_key import decode_ssh_certificate, decode_ssh_public_key

    try:
        return decode_ssh_public_key(blob)
    except asyncssh.KeyImportError:
        return decode_ssh_certificate(blob).key


def judge_host_keys(connection: Any, judge: Callable[[bytes], asyncssh.SSHKey]) -> None:
    """Has ``judge`` say whether the key that a server shows is the right one, in place of asyncssh, which knows one
    reason for all refusals, and lets no bare key pass in a certificate that does not hold."""
    connection.validate_server_host_key = judge


class _Quiet:
    """A logger that does not prepare what nobody reads: asyncssh has some fifteen lines for each channel."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logger, name)

    def get_child(self, *_args: object, **_options: object) -> _Quiet:
        return self

    def info(self, *_args: object, **_options: object) -> None: ...

    debug1 = debug2 = packet = info


def _prepare_channels(connection: Any, path: DataPath | None) -> None:
    """Marks a channel when CHANNEL_EOF is processed (see :func:`eof_was_received`), and lends it the data path."""
    add_channel: Callable[[Any], int] = connection.add_channel
    prepared: dict[type, dict[int, Any]] = {}

    def add(channel: Any) -> int:
        handlers = prepared.get(type(channel))
        if handlers is None:
            handlers = prepared[type(channel)] = dict(channel._packet_handlers)
            handlers[MSG_CHANNEL_EOF] = functools.partial(_process_eof, handlers[MSG_CHANNEL_EOF])
        channel._packet_handlers = handlers
        channel.orchestra_path = path
        return add_channel(channel)

    connection.add_channel = add


def _process_eof(process: Callable[..., Any], channel: Any, kind: int, number: int, packet: Any) -> Any:
    channel.orchestra_eof = True
    return process(channel, kind, number, packet)


def _with_short_ways(connection: Any, path: DataPath | None) -> None:
    """Packets that open and end channels take the data path; and no packets for padding.

    asyncssh sends MSG_IGNORE before every packet, which doubles their number. RFC 4251 section 9.3.1 asks for it
    against an attack on CBC only; with an authenticated cipher it does nothing.
    """
    send_packet = connection.send_packet

    def send(kind: int, *args: bytes, handler: Any = None) -> None:
        if kind == MSG_IGNORE and type(connection._send_encryption).__name__ in _AUTHENTICATED:
            return
        if path is None or not path.send_packet(kind, args):
            send_packet(kind, *args, handler=handler)

    connection.send_packet = send


def _with_signs_of_life(connection: Any, progress: Callable[[], tuple[int, int]]) -> None:
    """Keepalives that a link full of data does not make a liar of.

    Whatever comes shows that the peer lives: asyncssh counts every pause since its last *answer*, which on a narrow
    link waits behind the data. And a question that is still behind what was written before it is not unanswered, as
    long as that moves. ``progress``: bytes that were written so far, and how many of them have arrived.
    """
    reset_timer = getattr(connection, "_reset_keepalive_timer", None)
    ask = getattr(connection, "_keepalive_timer_callback", None)
    if reset_timer is None or ask is None:
        return
    asked = arrived = 0

    def reset() -> None:
        """As often as something comes: the timer goes on, and looks when it is due how long ago that was."""
        connection._keepalive_count = 0
        connection.orchestra_heard = time.monotonic()
        if connection._keepalive_timer is None:
            reset_timer()

    def due() -> None:
        nonlocal asked, arrived
        silent = time.monotonic() - heard(connection)
        if silent < connection._keepalive_interval:
            connection._keepalive_timer = connection._loop.call_later(connection._keepalive_interval - silent, due)
            return
        before, (written, arrived) = arrived, progress()
        if connection._keepalive_count and before < arrived < asked:
            connection._set_keepalive_timer()
        else:
            asked = written
            ask()

    connection._reset_keepalive_timer, connection._keepalive_timer_callback = reset, due


def _with_kept_ciphers(connection: Any) -> None:
    """Puts :class:`GCM` in the place of asyncssh's own, each time that there are new keys."""
    send_newkeys = getattr(connection, "send_newkeys", None)
    if send_newkeys is None:
        return

    def send(*args: bytes) -> None:
        send_newkeys(*args)
        for name in ("_send_encryption", "_next_recv_encryption"):
            _keep_cipher(getattr(connection, name, None))

    connection.send_newkeys = send


def _keep_cipher(encryption: Any) -> None:
    cipher = getattr(encryption, "_cipher", None)
    key, iv = getattr(cipher, "_key", None), getattr(cipher, "_iv", None)
    if type(cipher).__name__ == "GCMCipher" and isinstance(key, bytes) and isinstance(iv, bytes):
        encryption._cipher = GCM(key, iv)
