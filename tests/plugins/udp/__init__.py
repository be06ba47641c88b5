"""Datagrams: the pure parts by themselves, both helpers as processes of this machine, and the kind over both."""
