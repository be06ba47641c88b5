"""The messages of the control protocol, byte for byte as PROTOCOL.mux has them."""

import pytest
from orchestra_plugins.openssh import mux
from orchestra_plugins.openssh.wire import Malformed, string, uint32


def test_requests_as_the_protocol_has_them():
    assert mux.hello() == bytes.fromhex("00000008 00000001 00000004")
    assert mux.request(mux.ALIVE_CHECK, 7) == bytes.fromhex("00000008 10000004 00000007")
    forward = mux.Forward(host="localhost", port=0, to="/s")
    assert forward.fields() == uint32(2) + string("localhost") + uint32(0) + string("/s") + bytes.fromhex("fffffffe")


def test_answers():
    assert mux.parse(uint32(mux.REMOTE_PORT) + uint32(3) + uint32(40123)).number == 40123
    assert mux.parse(uint32(mux.FAILURE) + uint32(3) + string("no")).reason == "no"
    assert mux.parse(uint32(mux.OK) + uint32(3)) == mux.Answer(kind=mux.OK, request=3)


@pytest.mark.parametrize("packet", [b"", uint32(mux.ALIVE) + uint32(1), uint32(mux.FAILURE) + uint32(1) + uint32(9)])
def test_what_is_cut_is_malformed(packet):
    with pytest.raises(Malformed):
        mux.parse(packet)


def test_a_master_of_another_version_is_not_spoken_to():
    mux.check_hello(uint32(mux.HELLO) + uint32(4) + string("extension") + string(""))
    with pytest.raises(Malformed, match="version 5"):
        mux.check_hello(uint32(mux.HELLO) + uint32(5))
    with pytest.raises(Malformed, match="0x80000001"):
        mux.check_hello(uint32(mux.OK) + uint32(4))
