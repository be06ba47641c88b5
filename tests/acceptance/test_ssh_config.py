"""Where `ssh inner` works, a topology of three lines does: two hops, keys and known hosts, all from ssh_config."""

import asyncio
import getpass
import re
import sys
from contextlib import asynccontextmanager

import pytest

from tests.cli.instances import Home
from tests.engine.ssh.sshd import Keys, needs_sshd, sshd

pytestmark = needs_sshd

CONFIG = """
Include parts/*
Host inner
    HostName localhost
    Port {inner}
    ProxyJump bastion
Host bastion inner
    User {user}
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known
    StrictHostKeyChecking yes
Host *
    SendEnv LANG LC_*
    GSSAPIAuthentication yes
"""
BASTION = "Host=bastion\n\tHostName=127.0.0.1\n\tPort={outer}\n\tHostKeyAlias=The-Bastion\n"
TOPOLOGY = """\
servers: {{inner: }}
targets:
  echo: {{host: inner, address: "127.0.0.1:{port}"}}
"""
CLIENT = """
import os, socket
with socket.create_connection((os.environ["ORCHESTRA_ECHO_HOST"], int(os.environ["ORCHESTRA_ECHO_PORT"]))) as stream:
    stream.sendall(b"hello")
    stream.shutdown(socket.SHUT_WR)
    print(stream.makefile().read())
"""


@asynccontextmanager
async def echo():
    """The port of a service that says back what it hears."""

    async def answer(reader, writer):
        writer.write(await reader.read())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def world(folder):
    """(home, file of ssh_config, port of the service) behind two servers that only ssh_config knows."""
    for name in ("home/.ssh/parts", "home/run", "home/state", "outer", "inner"):
        (folder / name).mkdir(parents=True, mode=0o700)
    home, outer, inner = folder / "home", Keys(folder / "outer"), Keys(folder / "inner")
    (folder / "inner" / "authorized_keys").write_text((folder / "outer" / "user_key.pub").read_text())
    async with (
        sshd(outer, "AllowTcpForwarding local") as first,
        sshd(inner, "ListenAddress localhost") as second,
        echo() as port,
    ):
        known = f"the-bastion {outer.host_key}\n[localhost]:{second.port} {inner.host_key}\n"
        (folder / "outer" / "known").write_text(known)
        values = {"user": getpass.getuser(), "folder": folder / "outer", "outer": first.port, "inner": second.port}
        files = {".ssh/config": CONFIG, ".ssh/parts/bastion": BASTION}
        for name, text in files.items():
            (home / name).write_text(text.format(**values))
            (home / name).chmod(0o600)
        (home / "office.yaml").write_text(TOPOLOGY.format(port=port))
        yield Home(home), port


async def ran(home, *words):
    """Exit code, output and complaints of a program of that user."""
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=home.path,
        env={**home.environ, "SSH_AUTH_SOCK": ""},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(b"hello"), 40)
    return process.returncode, out.decode(), err.decode()


def test_whoever_can_ssh_has_a_tunnel(tmp_path):
    async def scene():
        async with world(tmp_path) as (home, port):
            text = (home.path / ".ssh" / "config").read_text().replace("parts/*", f"{home.path}/.ssh/parts/*")
            (home.path / "for_ssh").write_text(text)
            (home.path / "for_ssh").chmod(0o600)
            code, out, err = await ran(home, "ssh", "-F", f"{home.path}/for_ssh", "-W", f"127.0.0.1:{port}", "inner")
            assert (code, out) == (0, "hello"), err
            orchestra = (sys.executable, "-m", "orchestra")
            code, out, err = await ran(home, *orchestra, "run", "office.yaml", "--", sys.executable, "-c", CLIENT)
            assert (code, out) == (0, "hello\n"), err
            code, out, err = await ran(home, *orchestra, "plan", "-v", "office.yaml")
            assert code == 0, err
            assert [line.split()[1] for line in out.splitlines() if line.split()[:1] == ["ssh"]] == [
                "localhost",
                "bastion",
            ]
            assert re.search(rf"host_key_name +the-bastion +{home.path}/.ssh/parts/bastion:4\n", out)
            assert re.search(rf"identities_only +yes +{home.path}/.ssh/config:10\n", out)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ('RefuseConnection "moved to another place"\n', 3, "moved to another place"),
        ("ProxyCommand nc %h %p\n", 3, "ProxyCommand nc %h %p"),
        ('Match exec "touch {folder}/ran"\n  Port 1\nMatch all\n', 3, "--allow-exec"),
        ("HostKeyAlias someone-else\n", 4, "someone-else"),
    ],
)
def test_never_less_safe_than_ssh(tmp_path, line, code, said):
    async def scene():
        async with world(tmp_path) as (home, _):
            config = home.path / ".ssh" / "config"
            config.write_text(line.format(folder=tmp_path) + config.read_text())
            orchestra = (sys.executable, "-m", "orchestra")
            found = await ran(home, *orchestra, "run", "office.yaml", "--", sys.executable, "-c", CLIENT)
            assert found[0] in (code, 125), found
            assert found[1] == ""
            assert said in found[2]
            assert not (tmp_path / "ran").exists()

    asyncio.run(scene())


def test_commands_are_run_when_the_user_allows_it(tmp_path):
    async def scene():
        async with world(tmp_path) as (home, _):
            config = home.path / ".ssh" / "config"
            config.write_text(f'Match exec "touch {tmp_path}/ran"\n  Port 1\n' + config.read_text())
            plan = (sys.executable, "-m", "orchestra", "plan", "office.yaml", "--allow-exec")
            code, out, err = await ran(home, *plan)
            assert code == 0, err
            assert "localhost:1 = inner" in out
            assert (tmp_path / "ran").exists()

    asyncio.run(scene())
