"""The transport that core brings along: SSH, by asyncssh. Nothing else in orchestra imports asyncssh but the lab.

``plugin`` and ``transport`` are cheap to import; asyncssh is loaded when the first session opens. ``connecting`` opens
a session, ``carrier`` is the stream below it, ``channels`` the streams on it, ``session`` the place itself;
``hostkeys`` and ``credentials`` decide whom to trust and who we are. ``internals`` is the only file that touches what
asyncssh does not promise to keep, ``translate`` the only one that catches its exceptions.
"""
