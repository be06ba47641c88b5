"""A second transport: the system's own ssh as a master, so that every keyword of ssh_config, hardware key, ProxyCommand
and GSSAPI works as its user knows it.

==============  ===============================================================================================
wire            how ssh writes numbers, texts and packets (RFC 4251)
channel         one channel of the connection protocol (RFC 4254), a Stream with windows and a truthful end
connection      the channels of one connection; it knows no sockets
mux             the messages of the master's control protocol (PROTOCOL.mux)
control         one conversation with the master: requests and answers, or the connection protocol itself
forwarding      listeners at the server
session         all of that as a Session
fields          what the topology file may say
resolving       what ssh itself makes of a host (``ssh -G``)
arguments       how the master is started
answering       its questions to a person, by :mod:`.askpass`
complaints      what it writes to standard error, in our codes
master          the process
carrying        what joins it to the session before it
opening         all of that as one act
==============  ===============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestra.plugin import hookimpl

from .transport import OpenSshTransport

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Transport


@hookimpl
def orchestra_transports() -> Iterable[Transport]:
    """``transport: openssh``."""
    return [OpenSshTransport()]
