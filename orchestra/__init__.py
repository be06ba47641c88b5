"""orchestra: declarative multi-hop tunnels over plain SSH servers.

The package is built in layers; imports go one way, downwards in this list (``tests/test_layers.py`` holds it):

=============  ==================================================================================
cli            one file per command; the only place with typer, exit codes and printing
assembly       wires plugin manager, loader, planner, engine, lab and control together
testing        suites of rules and an in-memory Session, for us and for authors of plugins
control        a running orchestra's socket: server and client
lab            a topology made real on one machine
engine         makes a plan true and keeps it true
render         values to text and JSON
planning       topology to plan
graph          topology to networkx
loading        text to topology
plugin         hook specifications, manager, vocabulary
session        places that dial, listen and run
model          the nouns: frozen values
errors         and diagnostics
=============  ==================================================================================

``control``, ``lab`` and ``engine`` are siblings: none imports another.
"""

__version__ = "0.1.0"
