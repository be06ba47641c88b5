"""The transport that core brings along: SSH, by asyncssh. Nothing else in orchestra imports asyncssh but the lab.

``plugin`` and ``transport`` are cheap to import; asyncssh is loaded when the first session opens.

============================  ========================================================================================
connecting, options, clients  opening a session: what asyncssh is told, and what it asks meanwhile
carrier, session, channels,   the stream below a session, the place itself, the streams on it, and its listeners
listeners
trust, refusals               whom we trust: what is known, what is shown, who vouches, and why somebody is refused
hostkeys, certificates,       the same as values, pure: keys, files of known hosts, certificates and lists of revoked
revocations, wire             keys
knownhosts, knownhostscommand where known hosts stand
authenticating, credentials   who we are: what to try next, of what was gathered
keyfiles, agents, offers,     private keys, those of an agent, how a key is shown; passwords and prompts
answering
algorithms                    lists of algorithms as ssh_config writes them
translate                     what asyncssh raises, in our words
internals, datapath, direct   all that touches what asyncssh does not promise to keep; see :mod:`.internals`
gcm, spaces                   what the data path is made of: a cipher that is kept, and memory to put packets into
============================  ========================================================================================
"""
