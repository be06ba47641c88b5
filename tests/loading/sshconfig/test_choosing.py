"""Which lines hold: what the system's ssh cannot be asked without running things, writing to /etc or being newer."""

import pytest

from orchestra.loading.sshconfig.files import Text
from tests.loading.sshconfig.ground import SYSTEM, USER, chosen, codes


def test_the_user_before_the_system():
    found = chosen({USER: "User ann\n", SYSTEM: "User root\nPort 2222\n"})
    assert (found.value("user"), found.value("port")) == ("ann", 2222)
    assert [str(found.settings[name].place) for name in ("user", "port")] == [f"{USER}:1:1", f"{SYSTEM}:2:1"]


def test_what_is_decided_already_stands_as_on_a_command_line():
    found = chosen("Match user ops\nPort 2222\nUser ann\nProxyJump a", given={"user": "ops", "proxyjump": ()})
    assert (found.value("user"), found.value("port"), found.value("proxyjump")) == ("ops", 2222, ())


@pytest.mark.parametrize(("allowed", "port"), [(True, 2222), (False, None)])
def test_commands_are_run_where_that_is_allowed(allowed, port):
    asked = []

    def execute(command):
        asked.append(command)
        return allowed

    found = chosen(
        'Match host other exec "no"\nMatch host gw exec "test %h = %n %p %r %u %i %L"\nPort 2222', execute=execute
    )
    assert found.value("port") == port
    assert asked == ["test gw = gw 22 ann ann 1000 laptop"]


def test_nothing_is_run_unasked():
    found = chosen(
        'Host gw\nMatch exec "rm -r /"\nForwardAgent yes\nMatch host other exec x\nPort 1\nMatch exec y\nPort 2\n'
    )
    assert codes(found.refusals) == ["SSH_CONFIG_REFUSED:6"]
    assert "Port depends on a command that is not run unasked: y" in found.refusals[0].message
    assert "--allow-exec" in found.refusals[0].suggestion


def test_what_was_decided_before_a_command_needs_none():
    assert chosen("Port 1\nMatch exec x\nPort 2\n").refusals == []


def test_a_doubt_goes_into_included_files():
    files = {USER: "Match exec x\nInclude part\n", "/home/ann/.ssh/part": "Host other\nPort 1\nHost gw\nPort 2\n"}
    assert codes(chosen(files).refusals) == ["SSH_CONFIG_REFUSED:1"]


@pytest.mark.parametrize(("addresses", "port"), [(["10.1.2.3"], 1), (["192.0.2.1"], None), ([], None)])
def test_local_networks(addresses, port):
    assert chosen("Match localnetwork 10.0.0.0/8,fd00::/8\nPort 1", addresses=addresses).value("port") == port


def test_tags_and_what_kind_of_session_it_is():
    assert chosen("Tag blue\nMatch tagged red,blue\nPort 1").value("port") == 1
    assert chosen('Match tagged ""\nPort 1').value("port") == 1
    assert chosen('Match sessiontype none command ""\nPort 1').value("port") == 1
    assert chosen("Match version OpenSSH_*\nPort 1").value("port") == 1


def test_includes_are_relative_to_their_kind_of_file():
    files = {
        USER: "Include part ~/part ${HERE}/part\n",
        SYSTEM: "Include part\n",
        "/home/ann/.ssh/part": "IdentityFile a",
        "/home/ann/part": "IdentityFile b",
        "/srv/part": "IdentityFile c",
        "/etc/ssh/part": "IdentityFile d",
    }
    assert [each.value for each in chosen(files, HERE="/srv").added["identityfile"]] == ["a", "b", "c", "d"]
    assert codes(chosen({SYSTEM: "Include ~/part"}).refusals) == ["SSH_CONFIG_INVALID:1"]


def test_an_include_that_leads_back():
    files = {USER: "Include a\nPort 1\n", "/home/ann/.ssh/a": "\nInclude b\n", "/home/ann/.ssh/b": "Include a\n"}
    [found] = chosen(files).refusals
    assert (found.message, str(found.place)) == ("/home/ann/.ssh/a includes itself", "/home/ann/.ssh/b:1:1")


def test_includes_that_multiply():
    files = {USER: "Include 0\n"} | {f"/home/ann/.ssh/{n}": f"Include {n + 1}\n" * 3 for n in range(14)}
    [found] = chosen(files).refusals
    assert found.message == "too many files include one another"


def test_files_that_others_may_write():
    [found] = chosen({USER: Text(text="User ann", insecure="its mode is 0666")}).refusals
    assert (found.code, found.suggestion) == ("SSH_CONFIG_INVALID", f"chmod go-w {USER}")
    files = {USER: "Include part", "/home/ann/.ssh/part": Text(text="", insecure="its mode is 0666")}
    assert [str(each.place) for each in chosen(files).refusals] == [f"{USER}:1:1"]
    assert chosen({SYSTEM: Text(text="User ann", insecure="its mode is 0666")}).refusals == []


def test_files_that_cannot_be_read():
    found = chosen({USER: Text(problem="Permission denied"), SYSTEM: "User ann"})  # ssh passes over it in silence
    assert (found.refusals, found.value("user")) == ([], "ann")
    assert [each.code for each in found.remarks] == ["SSH_CONFIG_IGNORED"]
    files = {USER: "Include part", "/home/ann/.ssh/part": Text(problem="Permission denied")}
    assert codes(chosen(files).refusals) == ["SSH_CONFIG_INVALID:1"]


def test_every_fault_is_told():
    found = chosen("Port x\nFoo bar\nHost other\nUser\n  Blah 1\n")
    assert codes(found.refusals) == [f"SSH_CONFIG_INVALID:{line}" for line in (1, 2, 4, 5)]
    assert "IgnoreUnknown foo" in found.refusals[1].suggestion


def test_what_a_foreign_file_says_is_cleaned():
    [found] = chosen("Evil\x1b[2J\u202e x").refusals
    assert "\x1b" not in found.message + found.suggestion
    assert "\u202e" not in found.message + found.suggestion
