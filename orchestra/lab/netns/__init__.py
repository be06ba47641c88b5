"""A lab of network namespaces: a namespace per host, a bridge per network, nftables, real sshd.

:func:`open_netns_lab` makes one, :func:`available` says whether this machine can. Pure: :mod:`.layout`,
:mod:`.addresses`, :mod:`.ways`, :mod:`.filters`, :mod:`.names`, :mod:`.services`, :mod:`.plumbing`. Inside the lab runs
:mod:`.agent`, whose end is the end of everything in it.
"""

from orchestra.lab.netns.available import available
from orchestra.lab.netns.lab import NetnsLab, open_netns_lab

__all__ = ["NetnsLab", "available", "open_netns_lab"]
