"""``orchestra authorize``: lines on standard output, everything else on standard error."""

import json

import pytest

from orchestra.cli.authorize import expiry_time
from orchestra.cli.exits import Exit
from orchestra.errors import UsageError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINAJAlwhqa975xJQrUiF5TagbIIrt5v1reDqwclQQ1i6"
TWO = """
networks: {internet: , office: 10.20.0.0/24}
clients: {laptop: {networks: [internet]}}
servers:
  gateway: {networks: {internet: 198.51.100.1, office: 10.20.0.2}, ssh: {user: alice, identity: id}}
  inner: {networks: {office: 10.20.0.3}}
  spare: {networks: {office: 10.20.0.4}}
targets: {own: {host: inner, address: "127.0.0.1:80"}}
tunnels: {own: {listen: localhost:8080}}
"""
FILES = {"orchestra.yaml": TWO}


def test_a_line_for_each_server_and_nothing_else_on_standard_output(run_cli):
    ran = run_cli("authorize", files=FILES)
    assert ran.code == Exit.DONE
    assert [row for row in ran.out.splitlines() if not row.startswith("#")] == [
        'restrict,port-forwarding,permitopen="10.20.0.3:22",permitlisten="NONE.invalid:1",command="exit 1" PUBLIC-KEY',
        'restrict,port-forwarding,permitopen="127.0.0.1:80",permitlisten="NONE.invalid:1",command="exit 1" PUBLIC-KEY',
    ]
    assert ran.err == "no public key is known for gateway, inner: put it in its place, or say --key FILE\n"


def test_the_key_beside_the_identity(run_cli):
    ran = run_cli("authorize", "gateway", files={**FILES, "id.pub": f"{KEY} me\n"})
    assert ran.out.splitlines()[-1].endswith(f" {KEY} me")
    assert ran.err == ""
    assert "# inner" not in ran.out


def test_the_key_beside_the_certificate(run_cli):
    text = TWO.replace("identity: id", "certificate: id-cert.pub")
    ran = run_cli("authorize", "gateway", files={"orchestra.yaml": text, "id.pub": KEY, "id-cert.pub": "x"})
    assert ran.out.splitlines()[-1].endswith(f" {KEY}")


def test_a_key_that_is_named(run_cli):
    assert run_cli("authorize", "--key", "k", files={**FILES, "k": KEY}).out.count(KEY) == 2
    for name, said in (("none", "cannot be read"), ("orchestra.yaml", "holds no public key")):
        ran = run_cli("authorize", "--key", name)
        assert (ran.code, ran.out) == (Exit.USAGE, "")
        assert said in ran.err


@pytest.mark.parametrize("argv", [("orchestra.yaml", "inner"), ("inner",), ("-f", "orchestra.yaml", "inner")])
def test_file_and_server(run_cli, argv):
    ran = run_cli("authorize", *argv, "-o", "sshd", files=FILES)
    assert ran.code == Exit.DONE
    assert ran.out.startswith("# inner, the account")
    assert "Match User ACCOUNT\n    AllowTcpForwarding local\n    PermitOpen 127.0.0.1:80\n" in ran.out
    assert "no account is known for inner" in ran.err


def test_json(run_cli):
    ran = run_cli("authorize", "-o", "json", files=FILES)
    document = json.loads(ran.out)
    assert [each["server"] for each in document["servers"]] == ["gateway", "inner"]
    assert (document["topology"], document["client"], ran.err) == ("orchestra", "laptop", "")


def test_servers_that_need_nothing_and_servers_that_are_none(run_cli):
    ran = run_cli("authorize", "spare", files=FILES)
    assert (ran.code, ran.out) == (Exit.DONE, "")
    assert ran.err == "spare has to permit nothing: nothing of the plan leads there\n"
    ran = run_cli("authorize", "gatewai")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "'gatewai'" in ran.err
    assert "gateway" in ran.err
    assert run_cli("authorize", "laptop").code == Exit.USAGE


def test_from_is_about_here(run_cli):
    ran = run_cli("authorize", "--from", "192.0.2.0/24", "--from", "2001:DB8::1", files=FILES)
    first, second = (row for row in ran.out.splitlines() if not row.startswith("#"))
    assert 'from="192.0.2.0/24,2001:db8::1"' in first
    assert "from=" not in second
    assert "inner is dialed from gateway, so --from does not limit it" in ran.err
    for wrong in ("10.0.0.1/8", "*", 'x",command="y'):
        ran = run_cli("authorize", "--from", wrong)
        assert (ran.code, ran.out) == (Exit.USAGE, "")


def test_expiry(run_cli):
    assert 'expiry-time="20261231"' in run_cli("authorize", "--expiry-time", "2026-12-31", files=FILES).out
    ran = run_cli("authorize", "--expiry-time", "2026-12-31", "-o", "sshd")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "sshd_config has no expiry" in ran.err


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("2026-12-31", "20261231"),
        ("20261231Z", "20261231Z"),
        ("2026-12-31T18:00", "202612311800"),
        ("2026-12-31 18:00:30Z", "20261231180030Z"),
    ],
)
def test_times(text, line):
    assert expiry_time(text) == line


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "31.12.2026", "202612", '20261231",x="'])
def test_what_is_no_time(text):
    with pytest.raises(UsageError, match="is no time"):
        expiry_time(text)


def test_what_is_unreachable_is_left_out_and_said(run_cli):
    more = TWO.replace("tunnels: {", "tunnels: {lost: {to: own, via: [spare], avoid: [gateway], listen: auto}, ")
    ran = run_cli("authorize", files={"orchestra.yaml": more})
    assert ran.code == Exit.UNREACHABLE
    assert ran.out.count("restrict,") == 2
    assert "error[" in ran.err
