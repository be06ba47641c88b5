"""The transport, before it opens anything."""

import subprocess
import sys

LOADED = "import sys, orchestra.engine.ssh.transport as t; t.SshTransport(); print('asyncssh' in sys.modules)"


def test_asyncssh_is_not_loaded_before_a_session_opens():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
