"""What ssh makes of a host, and which ssh it is."""

import asyncio

import pytest
from orchestra_plugins.openssh.resolving import check_version, parse, resolve

from orchestra.diagnostics import Code
from orchestra.session.errors import OpenFailed


def test_the_users_files_decide_as_ssh_reads_them(tmp_path):
    config = tmp_path / "config"
    config.write_text("Host gw\n HostName gw.example\n Port 2222\n User alice\n ProxyCommand nc %h %p\n")
    found = asyncio.run(resolve(("ssh", "-v", "-G", "-F", str(config), "gw"), "gw"))
    assert (found.host, found.port, found.user, found.proxy) == ("gw.example", 2222, "alice", "nc %h %p")
    assert not found.unchecked
    assert "controlpersist" in found.keywords


@pytest.mark.parametrize(
    ("line", "proxy", "unchecked"),
    [
        ("proxyjump a,b", "a,b", False),
        ("proxycommand none", None, False),
        ("stricthostkeychecking false", None, True),
        ("stricthostkeychecking ask", None, False),
    ],
)
def test_what_matters_of_it(line, proxy, unchecked):
    found = parse(f"hostname gw\nport 22\n{line}\n")
    assert (found.proxy, found.unchecked) == (proxy, unchecked)


def test_a_configuration_that_ssh_does_not_take(tmp_path):
    config = tmp_path / "config"
    config.write_text("Nonsense yes\n")
    with pytest.raises(OpenFailed, match="Bad configuration option: nonsense") as failed:
        asyncio.run(resolve(("ssh", "-v", "-G", "-F", str(config), "gw"), "gw"))
    assert failed.value.code == Code.SSH_CONFIG_INVALID


def test_no_ssh_at_all():
    with pytest.raises(OpenFailed, match="the program ssh cannot be run: No such file") as failed:
        asyncio.run(resolve(("/nonexistent/ssh", "-G", "gw"), "gw"))
    assert failed.value.code == Code.TRANSPORT_CANNOT


@pytest.mark.parametrize("said", ["OpenSSH_8.3p1 Debian", "Dropbear v2022.83", "", "PuTTY 0.8"])
def test_one_that_is_too_old_or_another_program(said):
    with pytest.raises(OpenFailed, match="cannot be used") as failed:
        check_version(said, "gw")
    assert "8.4" in failed.value.suggestion


@pytest.mark.parametrize("said", ["OpenSSH_8.4p1, LibreSSL", "OpenSSH_10.0p2", "OpenSSH_for_Windows_9.5p1"])
def test_one_that_will_do(said):
    check_version(said, "gw")
