"""Users and files that look like options, or like a shell's work, are refused."""

import pytest

from orchestra.model.names import UnsafeName, check_alias, check_file, check_user


@pytest.mark.parametrize("user", ["alice", "svc-backup", "DOMAIN\\alice", "a.b@example.com", "_x", "josé"])
def test_users(user: str) -> None:
    check_user(user)


@pytest.mark.parametrize(
    "user", ["", "-l", "-oProxyCommand=x", "a b", "a;b", "$(id)", "`id`", "a\nb", "a\x1b", "x\\", "a|b", "{a}", "'a'"]
)
def test_no_users(user: str) -> None:
    with pytest.raises(UnsafeName, match="is not a user name"):
        check_user(user)


@pytest.mark.parametrize("file", ["id", "~/.ssh/id", "/a b/agent.sock", "./-x", "${HOME}/x", "%d/id", "ключ", "a'b"])
def test_files(file: str) -> None:
    check_file(file)


@pytest.mark.parametrize(
    "file", ["-oProxyCommand=x", "-", "a`id`", "$(id)", "a\nb", "a\0b", "a\x1b[2J", "a\u202eb", "\ud800"]
)
def test_no_files(file: str) -> None:
    with pytest.raises(UnsafeName) as refused:
        check_file(file)
    assert refused.value.suggestion
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("alias", ["gw", "prod/db1", "a+b", "x.y:z", "[::1]", "é"])
def test_aliases(alias: str) -> None:
    check_alias(alias)


@pytest.mark.parametrize("alias", ["", "-oX", "a b", "a,b", "a$b", "a\\b", "a\n", "{a}"])
def test_no_aliases(alias: str) -> None:
    with pytest.raises(UnsafeName, match="is not the name of a host in ssh_config"):
        check_alias(alias)
