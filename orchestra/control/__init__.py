"""A running orchestra's place on this machine: its directory, its lock, its control socket.

:mod:`.paths` says where things are, :mod:`.claim` makes a name ours, :mod:`.server` answers on the socket by what the
:mod:`.handlers` say, :mod:`.client` asks. Importing the client costs little: ``orchestra status`` stays quick.
"""
