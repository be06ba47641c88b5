"""``orchestra schema``: the schema that editors read."""

import json

from orchestra.cli.exits import Exit


def test_it_is_a_schema_with_the_sections_of_a_topology(run_cli):
    ran = run_cli("schema")
    document = json.loads(ran.out)
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert "$schema" in document
    assert {"servers", "targets", "tunnels"} <= set(document["properties"])


def test_markdown_is_a_reference_to_read(run_cli):
    ran = run_cli("schema", "-o", "markdown")
    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert ran.out.startswith("# Reference of the topology file\n")
    assert "`servers.NAME.ssh`" in ran.out
