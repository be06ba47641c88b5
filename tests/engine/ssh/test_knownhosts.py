"""known_hosts as files: which are read, and how one is written."""

import errno
import os
import subprocess
from multiprocessing import get_context
from pathlib import Path

import pytest

from orchestra.engine.ssh.hostkeys import parse, select
from orchestra.engine.ssh.knownhosts import (
    CannotKeep,
    every_file,
    file_to_write,
    hash_name,
    read,
    read_bytes,
    usual_files,
    write,
)
from orchestra.model.topology import ConfigSettings, SshSettings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDQ1gCqUGwKHuW0cSh2+TVBQWkSoohkTEYG9MwTyRsd"


def config(**settings):
    return SshSettings(config=ConfigSettings(**settings))


def test_which_files_are_read(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    users = ("/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2")
    system = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
    assert every_file(SshSettings()) == users + system
    assert every_file(config(user_known_hosts=("/u", "/v"))) == ("/u", "/v", *system)
    assert every_file(config(user_known_hosts=(), global_known_hosts=())) == ()
    assert every_file(config(global_known_hosts=("/g",))) == (*users, "/g")
    named = SshSettings(known_hosts=("/t",), config=ConfigSettings(user_known_hosts=("/u",)))
    assert (every_file(named), usual_files(named)) == (("/t",), ("/u", *system))


def test_which_file_is_written(tmp_path):
    assert file_to_write(config(user_known_hosts=("/u/hosts", "/v"))) == Path("/u/hosts")
    assert file_to_write(SshSettings(known_hosts=(f"{tmp_path}/known_hosts_office",))).name == "known_hosts_office"
    for settings, why in (
        (config(user_known_hosts=()), "UserKnownHostsFile is none"),
        (config(user_known_hosts=("/dev/null",)), "/dev/null keeps nothing"),
        (SshSettings(known_hosts=("/dev/null",)), "/dev/null keeps nothing"),
        (SshSettings(known_hosts=(f"{tmp_path}/authorized_keys",)), "only files called known_hosts"),
    ):
        with pytest.raises(CannotKeep, match=why):
            file_to_write(settings)


def test_a_link_in_a_repository_leads_nowhere(tmp_path):
    (tmp_path / "known_hosts").symlink_to(tmp_path / "authorized_keys")
    with pytest.raises(CannotKeep, match="only files called known_hosts"):
        file_to_write(SshSettings(known_hosts=(f"{tmp_path}/known_hosts",)))


def test_a_first_key_makes_the_folder_and_the_file_private(tmp_path):
    file = tmp_path / ".ssh" / "known_hosts"
    write(file, "gw", KEY)
    assert file.read_text() == f"gw {KEY}\n"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("name", ["*", "a b", "a\nb", "a,b", "@revoked", "!a", "|1|a", "#a"])
def test_a_name_that_would_mean_others_is_not_written(tmp_path, name):
    with pytest.raises(CannotKeep, match="cannot be one name"):
        write(tmp_path / "known_hosts", name, KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_file_keeps_its_mode_its_links_and_its_last_line(tmp_path):
    real, file = tmp_path / "real", tmp_path / "known_hosts"
    real.write_text("# the end without a line break")
    real.chmod(0o640)
    file.symlink_to(real)
    before = real.stat()
    write(file, "[gw]:2222", KEY)
    assert file.is_symlink()
    assert real.read_text() == f"# the end without a line break\n[gw]:2222 {KEY}\n"
    after = real.stat()
    assert (after.st_mode, after.st_ino, after.st_uid) == (before.st_mode, before.st_ino, before.st_uid)


def test_a_hashed_name_is_found_by_us_and_by_ssh(tmp_path):
    file = tmp_path / "known_hosts"
    write(file, "[gw.example]:2222", KEY, hashed=True)
    assert "gw.example" not in file.read_text()
    assert select(parse(file.read_text(), "f"), "GW.example", 2222).keys
    found = subprocess.run(["ssh-keygen", "-F", "[gw.example]:2222", "-f", str(file)], capture_output=True, check=True)
    assert KEY.encode() in found.stdout
    assert hash_name("gw", b"salt").startswith("|1|c2FsdA==|")


@pytest.mark.parametrize(
    ("mode", "error", "holds"), [(0o444, errno.EACCES, "# mine\n"), (0o666, 0, f"# mine\ngw {KEY}\n")]
)
def test_a_read_only_file_stays_as_it_is(tmp_path, mode, error, holds):
    file = tmp_path / "known_hosts"
    file.write_text("# mine\n")
    file.chmod(mode)
    tmp_path.chmod(0o711)
    child = get_context("fork").Process(target=_write_as_nobody, args=(tmp_path,))
    child.start()
    child.join()
    assert (child.exitcode, file.read_text()) == (error, holds)


def _write_as_nobody(folder):
    os.chdir(folder)
    if os.geteuid() == 0:
        os.setgroups([])
        os.seteuid(65534)
    try:
        write(Path("known_hosts"), "gw", KEY)
    except OSError as error:
        os._exit(error.errno)
    os._exit(0)


def _write_many(file, who):
    for number in range(200):
        write(file, f"{who}-{number}", KEY)


def test_writers_do_not_lose_one_anothers_keys(tmp_path):
    file = tmp_path / "known_hosts"
    children = [get_context("fork").Process(target=_write_many, args=(file, who)) for who in "ab"]
    for child in children:
        child.start()
    for child in children:
        child.join()
    names = [line.split()[0] for line in file.read_text().splitlines() if line]
    assert sorted(names) == sorted(f"{who}-{number}" for who in "ab" for number in range(200))


def test_reading(tmp_path):
    assert read(f"{tmp_path}/none") == ""
    assert read(os.devnull) == ""
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    assert read(f"{tmp_path}/latin") == "caf\ufffd"
    for thing in (tmp_path, tmp_path / "latin" / "x"):
        with pytest.raises(OSError, match=r"directory|Not a"):
            read_bytes(str(thing))
