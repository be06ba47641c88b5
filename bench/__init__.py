"""What orchestra costs beside its peers: every part measures all contenders in one run, over the same servers.

ground      the servers: an sshd for each, keys, and the target that all tunnels lead to
ends        that target, and the client: processes of their own
datagrams   the same for UDP
contenders  ssh, autossh, asyncssh, sshtunnel, ourselves and nothing at all, each as the commands that open a way
libraries   the forwarding of asyncssh and of sshtunnel, as processes
wire        a link of its own length between two network namespaces
processes   starting, ending and weighing them
results     figures, what is wanted of them, tables and the file that keeps them
running     how a part is run by itself or with the others
report      that file into ``docs/performance.md``

throughput, connections, fairness, memory, ready, link, startup, udp, scale: the parts, each
``python -m bench.PART``.
``soak`` is no part: it measures nothing, it breaks things.
"""
