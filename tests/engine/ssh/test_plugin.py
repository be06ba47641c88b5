"""The transport as a plugin."""

import subprocess
import sys

from orchestra.engine.ssh.plugin import orchestra_transports


def test_it_is_found_by_hook():
    (transport,) = orchestra_transports()
    assert transport.spec.name == "ssh"


def test_offering_it_does_not_load_asyncssh():
    code = "import sys, orchestra.engine.ssh.plugin as p; p.orchestra_transports(); print('asyncssh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
