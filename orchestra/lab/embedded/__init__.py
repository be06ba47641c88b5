"""The lab inside this process: asyncssh servers, and a virtual network that every dial walks through.

:mod:`.settle` gives every host of a topology its addresses, :mod:`.world` knows them, :mod:`.walk` says where a
connection goes, :mod:`.network` has the listeners and makes the connections, :mod:`.server` the SSH servers with their
:mod:`.account`, :mod:`.policy` what those permit, :mod:`.lab` puts them together.
"""

from orchestra.lab.embedded.lab import EmbeddedLab, open_embedded_lab

__all__ = ["EmbeddedLab", "open_embedded_lab"]
