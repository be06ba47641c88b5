"""This machine, as ssh_config may ask it."""

import getpass
import ipaddress
import os

from orchestra.loading.sshconfig.machine import local_addresses, run, standard, this_machine


def test_who_and_where(tmp_path):
    found = this_machine({"HOME": str(tmp_path)})
    assert (found.home, found.user, found.uid) == (str(tmp_path), getpass.getuser(), os.getuid())
    assert found.execute is None
    assert this_machine({}).home == os.path.expanduser("~")  # noqa: PTH111
    assert [(each.path, each.users, each.checked) for each in standard("/home/ann")] == [
        ("/home/ann/.ssh/config", True, True),
        ("/etc/ssh/ssh_config", False, False),
    ]


def test_wildcards_come_in_order(tmp_path):
    for name in "cab":
        (tmp_path / f"{name}.conf").touch()
    found = this_machine({}).glob(f"{tmp_path}/*.conf")
    assert [name[-6:] for name in found] == ["a.conf", "b.conf", "c.conf"]


def test_commands_of_match_exec(tmp_path):
    environ = {"PATH": os.environ["PATH"], "WHERE": str(tmp_path)}
    assert this_machine(environ, allow_exec=True).execute('test -d "$WHERE"')
    assert not run("exit 3", environ)
    assert not run("true", {"SHELL": "/nonexistent"})


def test_the_loopback_is_one_of_the_addresses():
    assert ipaddress.ip_address("127.0.0.1") in local_addresses()
