"""What other plugins use of this one.

``context.shared(Bridges)`` gives any session datagrams. What the clients of a proxy send is joined as a tunnel's is: a
``Joint`` begins an ``Exchange`` for each of their destinations, over the bridge that the tunnel's ``Exits`` have
open.
"""

from .bridge import PLAIN, Bridge, Bridges
from .flows import FlowTable
from .joint import Exchange, Joint
from .kind import Exits
from .station import Flow, Listening, Party

__all__ = [
    "PLAIN",
    "Bridge",
    "Bridges",
    "Exchange",
    "Exits",
    "Flow",
    "FlowTable",
    "Joint",
    "Listening",
    "Party",
]
