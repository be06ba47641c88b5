"""Plugins and the loader, wired: what is asked for must work, what is installed may fail alone."""

import subprocess
import sys

import pytest

from orchestra.assembly.topology import load_topology, plugins
from orchestra.errors import UsageError
from orchestra.plugin.manager import DISABLED


def test_core_comes_with_its_transport_kind_and_checks():
    found = plugins()
    assert "ssh" in found.transports
    assert "tcp" in found.kinds
    assert {"tcp", "http"} <= set(found.checks)
    assert {"env", "file", "command"} <= set(found.secrets)


def test_installed_plugins_can_be_left_out():
    everything, core = plugins(environ={}), plugins(environ={DISABLED: "*"})
    assert {info.name for info in core.loaded} == {info.name for info in everything.loaded}
    assert {info.name for info in core.loaded if not info.adds} >= {"checks", "socks"}
    assert set(core.kinds) == {"tcp"}


def test_what_is_left_out_and_not_there_is_a_warning_with_the_nearest(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text("targets: {db: 'db:5432'}\n")
    environ = {DISABLED: "sokcs, checks,orchestra-tunnels, *, quite_another"}
    told = [d for d in load_topology([str(file)], plugins(environ=environ), environ).diagnostics if not d.place]
    assert [(d.code, d.severity) for d in told] == [("UNKNOWN_NAME", "warning")] * 2
    other, near = told
    assert near.message == f"{DISABLED} leaves out 'sokcs', and no plugin that is installed is called that"
    assert near.suggestion == "did you mean 'socks'?"
    assert other.suggestion.startswith("known here: checks, ")


def test_a_plugin_that_was_asked_for_must_work(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    with pytest.raises(UsageError, match=r"broken\.py cannot be imported: ZeroDivisionError"):
        plugins([str(broken)])
    with pytest.raises(UsageError, match="no_such_module_anywhere"):
        plugins(["no_such_module_anywhere"])


def test_problems_are_in_the_result(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text("targets: {db: 'db:5432'}\nsever: {}\n")
    loaded = load_topology([str(file)], plugins(), {})
    assert loaded.topology is None
    assert [d.code for d in loaded.diagnostics if d.severity == "error"] == ["UNKNOWN_KEY"]


def test_asking_the_plugins_does_not_import_ssh():
    script = (
        "import sys; from orchestra.assembly.topology import plugins; plugins(); sys.exit('asyncssh' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_servers_have_from_ssh_config_what_the_file_leaves_unset(tmp_path):
    (tmp_path / ".ssh").mkdir()
    lines = "Host gw\n  User ops\n  StrictHostKeyChecking no\nMatch exec true\n  Port 2222\n"
    (tmp_path / ".ssh" / "config").write_text(lines)
    file = tmp_path / "f.yaml"
    file.write_text("servers: {gw: }\ntargets: {db: 'db:5432'}\n")

    def loaded(**options):
        return load_topology([str(file)], plugins(), {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, **options)

    ssh = loaded().topology.hosts["gw"].server.ssh
    assert (ssh.user, ssh.port, len(ssh.config.refusals)) == ("ops", None, 1)
    ssh = loaded(allow_exec=True).topology.hosts["gw"].server.ssh
    assert (ssh.user, ssh.port, ssh.config.refusals, ssh.config.allow_exec) == ("ops", 2222, (), True)
    assert loaded(ssh_config=False).topology.hosts["gw"].server.ssh.config is None
    assert [d.code for d in loaded(allow_exec=True).diagnostics] == ["SSH_CONFIG_IGNORED"]
    assert str(tmp_path / ".ssh" / "config") in loaded().sources


@pytest.mark.parametrize("allowed", [False, True])
def test_what_a_check_runs_is_allowed_by_who_reads_the_file_and_never_by_it(allowed: bool) -> None:
    text = "targets: {t: 'x:80'}\ntunnels: {t: {check: {type: command, run: [\"true\"]}}}\n"
    loaded = load_topology(["-"], plugins(), {}, ssh_config=False, allow_exec=allowed, stdin=text)
    assert loaded.topology
    command = loaded.topology.tunnels["t"].check.options["run"]
    assert (command.argv, command.allowed) == (("true",), allowed)
