"""Whether this machine can run the lab, and what to do when it cannot."""

import sys

import pytest

from orchestra.lab.netns.available import available, find_program, sshd_version

module = sys.modules[available.__module__]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes the only programs that are found, as scripts."""

    def make(**scripts):
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setattr(module, "SEARCH_PATH", str(tmp_path))
        return tmp_path

    return make


def test_packages_are_named_for_what_is_missing(programs):
    programs(ip="", unshare="")
    assert available() == "nft, sshd not found: apt-get install nftables openssh-server"


def test_what_the_trial_said_is_the_reason(programs, monkeypatch):
    folder = programs(ip="", nft="", sshd="", unshare="echo Operation not permitted >&2; exit 1")
    monkeypatch.setattr(module, "namespaces", lambda: [str(folder / "unshare")])
    reason = available()
    assert reason is not None
    assert reason.endswith("make network namespaces with nftables (Operation not permitted)")


def test_a_machine_without_namespaces_is_another_system(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert available() == "network namespaces need Linux"


@pytest.mark.parametrize(
    ("says", "version"),
    [("OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.15", (9, 2)), ("OpenSSH_10.0p2", (10, 0)), ("dropbear", (0, 0))],
)
def test_the_version_of_sshd_is_what_it_says(programs, says, version):
    programs(sshd=f"echo '{says}' >&2; exit 1")
    assert sshd_version(find_program("sshd")) == version
