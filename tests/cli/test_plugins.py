"""``orchestra plugins`` and ``--plugin``: what is loaded, and what fails alone."""

import json
import sys

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
    for added in ("kind tcp", "check tcp", "transport ssh", "secret env, file, command"):
        assert f"\n  {added}\n" in ran.out + "\n"


def test_json(run_cli):
    document = json.loads(run_cli("plugins", "-o", "json").out)
    assert document["format_version"] == 1
    assert "transport ssh" in {added for plugin in document["plugins"] for added in plugin["adds"]}


def test_formats_are_listed_with_the_options_that_they_take(run_cli):
    listed = run_cli("plugins").out
    assert "\n  importer ssh-config: --set hosts=…  The hosts, by the names that `ssh` knows them by" in listed
    assert "\n  exporter ssh: --set background=…  Whether each goes" in listed
    document = json.loads(run_cli("plugins", "-o", "json").out)
    (found,) = [plugin["options"] for plugin in document["plugins"] if plugin["name"] == "ssh-commands"]
    assert set(found) == {"importer ssh-config", "exporter ssh"}
    assert found["exporter ssh"]["properties"]["background"]["type"] == "boolean"
    assert not found["importer ssh-config"]["additionalProperties"]


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


def test_what_is_left_out_is_listed_with_what_is_missing_for_it(run_cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRA_DISABLE_PLUGINS", "socks")
    ran = run_cli("plugins")
    assert ran.code == Exit.DONE
    assert "  is left out by ORCHESTRA_DISABLE_PLUGINS\n  would add kind socks\n" in ran.out
    document = json.loads(run_cli("plugins", "-o", "json").out)
    (found,) = [plugin for plugin in document["plugins"] if plugin["name"] == "socks"]
    assert (found["disabled"], found["adds"], found["error"]) == (True, [], None)
    assert "kind socks" in found["would_add"]
    text = 'servers: {b: b.example}\ntunnels: {p: {kind: socks, exit: b, listen: "localhost:1080"}}\n'
    refused = run_cli("validate", "f.yaml", files={"f.yaml": text})
    assert refused.code == Exit.USAGE
    assert (
        "the plugin 'socks' of orchestra-tunnels adds it, and is left out by ORCHESTRA_DISABLE_PLUGINS" in refused.err
    )


def test_what_is_to_be_left_out_and_is_not_there_is_a_warning(run_cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRA_DISABLE_PLUGINS", "sock")
    ran = run_cli("plugins")
    assert (ran.code, "kind socks" in ran.out) == (Exit.DONE, True)
    assert "warning[UNKNOWN_NAME] ORCHESTRA_DISABLE_PLUGINS leaves out 'sock', and no plugin" in ran.err
    assert "did you mean 'socks'?" in ran.err
    said = run_cli("validate", "f.yaml", files={"f.yaml": "targets: {db: 'db:5432'}\n"})
    assert (said.code, "leaves out 'sock'" in said.err) == (Exit.DONE, True)


MODELS = """
from __future__ import annotations

from dataclasses import dataclass, field
from pydantic import BaseModel, ConfigDict
from orchestra.plugin import hookimpl
from orchestra.plugin.vocabulary import CheckSpec, ImporterSpec, KindSpec, SecretSpec, TransportSpec

__version__ = "1.2"

class Depth(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)
    depth: int = 1
    '''How deep it goes.'''

@dataclass
class Plain:
    depth: int = 1
    names: list[str] = field(default_factory=list)

def part(spec, method):
    return type("Part", (), {"spec": spec, method: lambda *_: None})()

@hookimpl
def orchestra_transports():
    return [part(TransportSpec(name="deep", dialed=False, fields=Depth), "open")]

@hookimpl
def orchestra_kinds():
    return [part(KindSpec(name="deep", fields=Depth), "serve")]

@hookimpl
def orchestra_checks():
    return [part(CheckSpec(name="deep", kinds=("tcp", "deep"), fields=Plain), "run")]

@hookimpl
def orchestra_secrets():
    return [part(SecretSpec(name="deep", value="any", fields=Depth), "read")]

@hookimpl
def orchestra_importers():
    return [part(ImporterSpec(name="deep", default="own.py", fields=Depth), "read")]
"""
WRONG = """\
servers: {b: {ssh: {host: b, password: {deep: {depth: no}}}, transport: {type: deep, depth: x}}}
targets: {t: "t:80"}
tunnels:
  t: {kind: deep, deep: {dept: 3}, check: {type: deep, depth: []}}
"""


def test_fields_of_every_sort_are_checked_where_they_stand_and_are_in_the_schema(run_cli):
    wrong = run_cli("validate", "f.yaml", "--plugin", "redis.py", files={"redis.py": MODELS, "f.yaml": WRONG})
    assert wrong.code == Exit.USAGE
    for place, said in (
        ("f.yaml:1:55", "a whole number is needed here, not yes or no"),
        ("f.yaml:1:93", "a whole number is needed here, not text"),
        ("f.yaml:4:26", "unknown key 'dept'"),
        ("f.yaml:4:63", "a whole number is needed here, not a list"),
    ):
        assert f"{place}: error[" in wrong.err
        assert said in wrong.err
    assert "did you mean 'depth'?" in wrong.err
    option = run_cli("import", "deep", "--set", "depth=far", "--plugin", "redis.py", "own.py", files={"own.py": ""})
    assert "--set:1:8: error[BAD_TYPE] a whole number is needed here" in option.err
    schema = run_cli("schema", "--plugin", "redis.py").out
    assert schema.count("How deep it goes.") >= 3
    listed = run_cli("plugins", "--plugin", "redis.py").out
    words = ("transport", "kind", "check", "secret", "importer")
    assert "redis.py 1.2\n" + "".join(f"  {word} deep\n" for word in words) in listed


def test_a_file_is_not_what_others_get_for_an_import_of_its_name(run_cli):
    files = {"sched_nobody_has.py": CHECK}
    assert run_cli("plugins", "--plugin", "sched_nobody_has.py", files=files).code == Exit.DONE
    assert "sched_nobody_has" not in sys.modules


def test_a_plugin_that_would_exit_is_an_error_like_any_other(run_cli):
    ran = run_cli("plugins", "--plugin", "own.py", files={"own.py": "raise SystemExit(7)"})
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "own.py cannot be imported: SystemExit: 7" in ran.err


def test_one_that_is_installed_already_may_be_named_again(run_cli):
    ran = run_cli("plugins", "--plugin", "orchestra_plugins.socks")
    assert ran.code == Exit.DONE
    assert ran.out.count("kind socks") == 1
