"""asyncssh is loaded without running anything, and nothing of it is missed."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys

from orchestra.engine.ssh.library import linked

_LOADS = """
import sys
sys.addaudithook(lambda event, _: event == "subprocess.Popen" and sys.exit(f"{event} was called"))
import ctypes.util
usual = ctypes.util.find_library
import orchestra.engine.ssh.library
assert "asyncssh" in sys.modules
assert not {"OpenSSL", "cryptography.x509", "asyncssh.crypto.x509"} & set(sys.modules)
assert ctypes.util.find_library is usual
import orchestra.engine.ssh.connecting
"""


def test_it_is_loaded_without_a_process() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_library_is_found_as_ctypes_finds_it() -> None:
    assert linked("c") == ctypes.util.find_library("c")
    assert linked("c") is not None
    assert linked("there-is-none") is None
