"""``orchestra version`` and ``--version``."""

import json
import subprocess
import sys

from orchestra import __version__
from orchestra.cli.exits import Exit


def test_text_and_json(run_cli):
    assert run_cli("version").out == run_cli("--version").out == f"orchestra {__version__}\n"
    assert json.loads(run_cli("version", "-o", "json").out)["version"] == __version__


def test_python_runs_the_package():
    done = subprocess.run([sys.executable, "-m", "orchestra", "version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (Exit.DONE, f"orchestra {__version__}\n")
