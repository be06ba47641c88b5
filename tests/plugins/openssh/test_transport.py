"""What the transport says of itself, and that it costs nothing until it is used."""

import subprocess
import sys

from orchestra_plugins.openssh import orchestra_transports
from orchestra_plugins.openssh.fields import Fields

from orchestra.plugin.vocabulary import model_of


def test_what_it_says_of_itself():
    (transport,) = orchestra_transports()
    spec = transport.spec
    assert (spec.name, model_of(spec.fields), spec.dialed) == ("openssh", Fields, True)
    assert all((spec.connect, spec.listen, spec.exec, spec.unix))


def test_nothing_heavy_is_loaded_before_it_opens():
    code = "import orchestra_plugins.openssh, sys; print('orchestra_plugins.openssh.opening' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out == "False\n"
