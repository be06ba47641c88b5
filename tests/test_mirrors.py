"""Where the tests of a module are: tests/a/test_b.py holds orchestra/a/b.py, tests/plugins/test_x.py plugins/x.py."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"

WITHOUT_TESTS = {
    "orchestra/__main__.py": "two lines that call the command line",
    "orchestra/assembly/log_format.py": "two words",
    "orchestra/assembly/reading.py": "values only",
    "orchestra/cli/instance.py": "one annotation",
    "orchestra/control/handlers.py": "protocols; the control server's tests hold them",
    "orchestra/engine/core/messages.py": "values only",
    "orchestra/lab/kind.py": "two words",
    "orchestra/model/events.py": "values only",
    "orchestra/model/status.py": "values only",
    "orchestra/plugin/interfaces.py": "protocols",
    "orchestra/plugin/vetting.py": "tests/plugin/test_hookspecs.py holds every rule of it, for every hook",
    "orchestra/plugin/vocabulary.py": "values only",
    "orchestra/render/picture/live_script.py": "a script for browsers; acceptance/test_http.py runs it in one",
    "orchestra/session/errors.py": "classes only",
    "orchestra/lab/interface.py": "protocols",
    "plugins/keyring_secret/fields.py": "test_secret.py holds it",
    "plugins/socks/words.py": "names only",
    "plugins/sshcommands/words.py": "names only",
    "plugins/udp/interface.py": "names only",
    "plugins/udp/words.py": "names only",
    "plugins/udp/station.py": "protocols",
    "plugins/sshcommands/invocation.py": "values only",
}
"""Modules without a test file of their own, and why. Packages' ``__init__`` hold names only and are never asked."""

WITHOUT_MODULE = {
    "acceptance": "the whole product, over real sshd in namespaces",
    "bench": "what measures: bench is no part of what is installed",
    "docs": "the documents against the code",
    "faults": "what breaks around it, over real sshd in namespaces",
    "fuzz": "every parser against what is nearly right",
    "lab/embedded/test_agreement.py": "the embedded lab's walk against the planner's verdict",
    "lab/embedded/test_topologies.py": "every example over the embedded lab",
    "lab/netns/test_lifetime.py": "what a lab leaves behind, also when its owner is killed",
    "lab/netns/test_kernel.py": "what kernels do with the lab's networks",
    "loading/sshconfig/test_against_ssh.py": "the system's ssh, and the same files",
    "loading/test_errors.py": "golden files: every mistake, and what is said of it",
    "loading/test_vocabulary.py": "a golden file with the whole vocabulary",
    "engine/core/test_life.py": "the whole core, whatever happens to it",
    "engine/test_supervision.py": "what breaks while an engine runs, and what its users see",
    "engine/test_changing_plans.py": "an engine whose plan changes while it is used",
    "engine/test_plugin_faults.py": "what plugins may do wrong while an engine runs",
    "plugins/sshcommands/test_anything.py": "every importer of it against what is nearly right",
    "test_layers.py": "the directions of imports",
    "test_mirrors.py": "this one",
    "test_package.py": "what is installed",
}
"""Test files, or folders of them, that hold no single module, and what they hold."""


def modules() -> set[str]:
    """Every module, as a path from the root."""
    found = {path for folder in ("orchestra", "plugins") for path in (ROOT / folder).rglob("*.py")}
    return {str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py"}


def home(module: str) -> str:
    """Where the tests of a module stand, as a path from ``tests``."""
    path = Path(module.removeprefix("orchestra/"))
    return str(path.with_name(f"test_{path.name}"))


def test_every_module_has_a_test_file_of_its_own() -> None:
    missing = {each for each in modules() if not (TESTS / home(each)).exists()}
    assert sorted(missing - WITHOUT_TESTS.keys()) == []


def test_every_test_file_has_a_module() -> None:
    known = {home(each) for each in modules()}
    found = {str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")}
    strays = {each for each in found - known if each not in WITHOUT_MODULE and each.split("/")[0] not in WITHOUT_MODULE}
    assert sorted(strays) == []


def test_no_exception_is_stale() -> None:
    gone = WITHOUT_TESTS.keys() - modules()
    held = {each for each in WITHOUT_TESTS if (TESTS / home(each)).exists()}
    lost = {each for each in WITHOUT_MODULE if not (TESTS / each).exists()}
    assert (sorted(gone), sorted(held), sorted(lost)) == ([], [], [])
