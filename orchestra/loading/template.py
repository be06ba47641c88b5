"""What ``orchestra init`` writes."""

TEMPLATE = """\
# What is where, and what must be reachable. `orchestra plan` shows the path, `orchestra up` opens it.
# `orchestra schema` prints everything that a file can say, in the form that editors read.
version: 1

# SSH servers: "[user@]host[:port]", or a map.
servers:
  bastion: ci@bastion.example.com
  # inner:
  #   behind: bastion                   # only the bastion can dial it
  #   ssh: {host: inner.example.internal, user: ops, identity: ~/.ssh/id_ed25519}

# Services: "HOST:PORT" as the server that dials them knows them, or a map.
targets:
  db: "db.internal:5432"
  # desktop:
  #   host: bastion                     # on a machine that is declared above
  #   address: 127.0.0.1                # as that machine sees it
  #   display: 30                       # VNC display 30 is port 5930

# Without `tunnels`, every target is opened on localhost at its own port.
# tunnels:
#   db:
#     listen: localhost:15432           # or `auto`, any free port
#     env: {DATABASE_URL: "postgresql://app@{host}:{port}/app"}

# With networks and firewalls, orchestra finds the path, and names the rule that is in the way when there is none.
# networks:
#   internet:
#   office: 10.20.0.0/24
# clients:
#   laptop: {networks: [internet]}
# firewalls:
#   edge:
#     networks: {internet: 198.51.100.1, office: 10.20.0.1}
#     rules:
#       - {name: ssh, allow: {from: internet, to: bastion, ports: [22]}}

# Tests of the topology itself, run by `orchestra validate`.
# expect:
#   - {from: laptop, to: db, verdict: reachable, via: [bastion]}
"""
