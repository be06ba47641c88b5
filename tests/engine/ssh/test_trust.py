"""Under which name a server's key is looked up."""

import ipaddress

import pytest

from orchestra.engine.ssh.trust import host_key_name
from orchestra.model.topology import Attachment, DnsName, Host, Server, SshSettings

ADDRESSED = {"attachments": (Attachment(network="n", addresses=(ipaddress.ip_address("10.0.0.2"),)),)}


@pytest.mark.parametrize(
    ("settings", "host", "dialed", "expected"),
    [
        ({"host_key_name": "alias", "host": "gw.example"}, {}, "1.2.3.4", "alias"),
        ({"host": "gw.example"}, {"names": (DnsName(text="other"),)}, "1.2.3.4", "gw.example"),
        ({}, {"names": (DnsName(text="gw.example"),)}, "1.2.3.4", "gw.example"),
        ({}, ADDRESSED, "10.0.0.2", "10.0.0.2"),
        ({}, ADDRESSED, "198.51.100.1", "10.0.0.2"),  # an address of somebody's nat
        ({}, {}, "198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_name(settings, host, dialed, expected):
    server = Host(name="gw", kind="server", server=Server(ssh=SshSettings(**settings)), **host)
    assert host_key_name(server, dialed) == expected
