"""What runs on the machines does what the file says of it: sshd's limits, UDP, Unix sockets, shared machines."""

import asyncio
import time
from dataclasses import replace

import asyncssh
import pytest

from orchestra.errors import RuntimeFailure
from orchestra.lab.credentials import make_credentials
from orchestra.lab.interface import Lab
from orchestra.lab.netns.services import sshd_config
from orchestra.model.topology import Forwarding
from tests.lab.netns.labs import OFFICE, ask, in_namespaces, lab_of, topology

DESK = "10.20.0.30:5900"


def login(lab, server, sock):
    settings = lab.topology.hosts[server].server.ssh
    return asyncssh.connect(
        "lab", sock=sock, known_hosts=None, config=None, username=settings.user, agent_path=None,
        client_keys=list(settings.identity),
    )  # fmt: skip


@in_namespaces
def test_sshd_forbids_what_the_file_says(tmp_path):
    text = OFFICE.replace(
        "gateway: {networks: {office: 10.20.0.2}}",
        "gateway: {networks: {office: 10.20.0.2}, forwarding: {remote: no, exec: no, permit_open: [DESK]}}",
    ).replace("DESK", f"'{DESK}'")

    async def run():
        async with (
            lab_of(tmp_path, text) as lab,
            login(lab, "gateway", await lab.dial("laptop", "10.20.0.2", 22)) as session,
        ):
            _, writer = await session.open_connection("10.20.0.30", 5900)
            writer.close()
            with pytest.raises(asyncssh.ChannelOpenError):
                await session.open_connection("10.20.0.3", 2022)
            with pytest.raises(asyncssh.ChannelListenError):
                await session.forward_remote_port("", 0, "localhost", 1)
            return (await session.run("echo hello")).stdout

    assert asyncio.run(run()) == ""


@in_namespaces
def test_accounts_of_one_machine_share_its_sshd(tmp_path):
    text = """
        networks: {office: 10.20.0.0/24}
        clients: {laptop: {networks: [office]}}
        servers:
          alice: {networks: {office: 10.20.0.2}, ssh: {user: alice}}
          bob: {networks: {office: 10.20.0.2}, ssh: {user: bob, port: 2222}}
    """

    async def run():
        async with lab_of(tmp_path, text) as lab:
            both = [await ask(lab.here, "10.20.0.2", port) for port in (22, 2222)]
            await lab.stop_server("bob")
            return both, await ask(lab.here, "10.20.0.2", 22)

    both, stopped = asyncio.run(run())
    assert all(text.startswith("SSH-2.0") for text in both)
    assert stopped == "CONNECT_REFUSED"


@in_namespaces
def test_a_unix_socket_is_its_host_s_own(tmp_path):
    where = tmp_path / "sockets"
    where.mkdir()
    text = f"""
        networks: {{office: 10.20.0.0/24}}
        clients: {{laptop: {{networks: [office]}}}}
        servers: {{gateway: {{networks: {{office: 10.20.0.2}}}}}}
        targets: {{docker: {{host: gateway, address: "unix:{where}/docker.sock"}}}}
    """

    async def run():
        async with (
            lab_of(tmp_path, text) as lab,
            login(lab, "gateway", await lab.dial("laptop", "10.20.0.2", 22)) as session,
        ):
            reader, writer = await session.open_unix_connection(f"{where}/docker.sock")
            writer.write(b"hello\n")
            said = await reader.readline()
            writer.close()
            return said, list(where.iterdir())

    assert asyncio.run(run()) == (b"docker on gateway\n", [])


@in_namespaces
def test_two_targets_at_one_address_are_one_stub(tmp_path):
    text = """
        networks: {office: 10.20.0.0/24}
        clients: {laptop: {networks: [office]}}
        targets:
          web: {networks: {office: 10.20.0.30}, address: 80}
          again: {host: web, address: 80}
    """

    async def run():
        async with lab_of(tmp_path, text) as lab:
            first = await ask(lab.here, "10.20.0.30", 80)
            await lab.stop_target("web")
            return first, await ask(lab.here, "10.20.0.30", 80)

    assert asyncio.run(run()) == ("again on web", "CONNECT_REFUSED")


@in_namespaces
def test_a_target_that_cannot_listen_is_told(tmp_path):
    text = """
        networks: {office: 10.20.0.0/24}
        clients: {laptop: {networks: [office]}}
        targets: {web: {networks: {office: 10.20.0.30}, address: "10.20.0.31:80"}}
    """

    async def run():
        async with lab_of(tmp_path, text) as lab:
            return lab.name

    with pytest.raises(RuntimeFailure, match=r"the target web of the lab ended: .*assign requested address"):
        asyncio.run(run())


@in_namespaces
def test_ten_hosts_are_up_in_no_time(tmp_path):
    hosts = "".join(f"\n              h{n}: {{networks: {{office: 10.20.0.{100 + n}}}}}" for n in range(10))
    text = OFFICE.replace(
        "clients: {laptop: {networks: [internet]}}", f"clients:\n              laptop: {{networks: [internet]}}{hosts}"
    )
    text = text.replace("\n              ", "\n        ")

    async def run():
        start = time.monotonic()
        async with lab_of(tmp_path, text) as lab:
            as_declared: Lab = lab
            return time.monotonic() - start, as_declared.name, len(lab.layout.machines)

    seconds, name, machines = asyncio.run(run())
    assert (name, machines) == ("netns", 17)
    assert seconds < 10


def test_sshd_is_told_what_the_file_permits(tmp_path):
    credentials = make_credentials(topology(tmp_path, OFFICE), tmp_path, user="bob")
    forwarding = Forwarding()
    config = sshd_config(forwarding, [22, 2222], credentials, "gateway", (9, 2)).splitlines()
    assert config[:2] == ["Port 22", "Port 2222"]
    assert {"AllowTcpForwarding yes", "GatewayPorts no", "PermitOpen any", "PermitListen any"} <= set(config)
    assert not any(line.startswith(("PerSource", "ForceCommand")) for line in config)
    strict = replace(
        forwarding,
        local=False,
        unix=False,
        exec=False,
        gateway_ports="yes",
        permit_open=(),
        permit_listen=("*:80", "x:1"),
    )
    config = sshd_config(strict, [22], credentials, "gateway", (9, 8)).splitlines()
    assert {
        "AllowTcpForwarding remote", "AllowStreamLocalForwarding no", "GatewayPorts yes", "PermitOpen none",
        "PermitListen *:80 x:1", "PerSourcePenalties no", "ForceCommand exit 1",
    } <= set(config)  # fmt: skip
