"""A topology made real on one machine, behind one interface (:mod:`.interface`).

``netns``: a network namespace per host, a bridge per network, nftables from the firewalls' rules, a real OpenSSH server
per server. ``embedded``: SSH servers inside this process; every host has its own view of addresses. The lab imports no
planner: kernel, embedded walk and planner have to agree, and a differential test says so.
"""
