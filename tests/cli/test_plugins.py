"""``orchestra plugins`` and ``--plugin``: what is loaded, and what fails alone."""

import json

from orchestra.cli.exits import Exit

CHECK = """
from orchestra.plugin import hookimpl
from orchestra.plugin.vocabulary import CheckSpec

class Check:
    spec = CheckSpec(name="mine")
    async def run(self, context): ...

@hookimpl
def orchestra_checks():
    return [Check()]
"""


def test_core_is_loaded_as_plugins(run_cli):
    ran = run_cli("plugins")
    assert ran.code == Exit.DONE
    for added in ("kind tcp", "check tcp", "transport ssh", "secret env"):
        assert f"\n  {added}\n" in ran.out + "\n"


def test_json(run_cli):
    document = json.loads(run_cli("plugins", "-o", "json").out)
    assert document["format_version"] == 1
    assert "transport ssh" in {added for plugin in document["plugins"] for added in plugin["adds"]}


def test_a_file_of_ones_own(run_cli):
    ran = run_cli("plugins", "--plugin", "own.py", files={"own.py": CHECK})
    assert ran.code == Exit.DONE
    assert "check mine" in ran.out


def test_a_plugin_that_was_asked_for_and_cannot_be_used_is_an_error(run_cli):
    broken = run_cli("plugins", "--plugin", "own.py", files={"own.py": "raise RuntimeError('bad day')"})
    assert (broken.code, broken.out) == (Exit.USAGE, "")
    assert "own.py" in broken.err
    assert "bad day" in broken.err
    assert run_cli("plugins", "--plugin", "no_such_module").code == Exit.USAGE
    misspelt = run_cli("plugins", "--plugin", "own.py", files={"own.py": CHECK.replace("_checks", "_chekcs")})
    assert misspelt.code == Exit.USAGE
    assert "orchestra_chekcs" in misspelt.err


def test_its_words_are_words_of_the_file(run_cli):
    text = 'servers: {b: b.example}\ntargets: {x: "x:80"}\ntunnels: {x: {check: mine}}\n'
    files = {"own.py": CHECK, "f.yaml": text}
    assert run_cli("validate", "f.yaml", files=files).code == Exit.USAGE
    assert run_cli("validate", "f.yaml", "--plugin", "own.py").code == Exit.DONE
