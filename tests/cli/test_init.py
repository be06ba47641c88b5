"""``orchestra init``: a first file that holds, and that never replaces another."""

from orchestra.cli.exits import Exit


def test_what_it_writes_is_valid(run_cli, tmp_path):
    ran = run_cli("init")
    assert (ran.code, ran.out) == (Exit.DONE, "")
    assert "wrote orchestra.yaml" in ran.err
    assert run_cli("validate").code == Exit.DONE
    assert run_cli("plan").code == Exit.DONE
    assert (tmp_path / "orchestra.yaml").read_text().startswith("#")


def test_it_refuses_to_overwrite(run_cli, tmp_path):
    ran = run_cli("init", "mine.yaml", files={"mine.yaml": "precious"})
    assert ran.code == Exit.USAGE
    assert "mine.yaml exists" in ran.err
    assert (tmp_path / "mine.yaml").read_text() == "precious"


def test_a_dash_is_standard_output(run_cli, tmp_path):
    ran = run_cli("init", "-")
    assert ran.code == Exit.DONE
    assert "targets:" in ran.out
    assert not list(tmp_path.iterdir())


def test_a_directory_that_does_not_exist(run_cli):
    ran = run_cli("init", "no/where.yaml")
    assert ran.code == Exit.FAILED
    assert ran.err.startswith("error: cannot write no/where.yaml: No such file")
