"""A QUIC server that echoes what it is sent over a stream: ``python -m tests.acceptance.quic HOST PORT FOLDER``."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from pathlib import Path

from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ALPN = ["echo"]


def make_certificate(folder: Path) -> None:
    """``cert.pem`` and ``key.pem``, for nobody in particular."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plant.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))


async def echo_server(host: str, port: int, folder: Path) -> None:
    """Until it is killed."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=ALPN)
    configuration.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    running: set[asyncio.Task[None]] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.write_eof()

    def on_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(echo(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    await serve(host, port, configuration=configuration, stream_handler=on_stream)
    await asyncio.get_running_loop().create_future()


async def ask(host: str, port: int, data: bytes) -> bytes:
    """What comes back over one stream of one connection."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=ALPN, verify_mode=0, server_name="plant.example")
    async with connect(host, port, configuration=configuration, local_port=0) as client:
        reader, writer = await client.create_stream()
        writer.write(data)
        writer.write_eof()
        return await reader.read()


if __name__ == "__main__":
    asyncio.run(echo_server(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
