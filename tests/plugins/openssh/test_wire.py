"""How ssh writes numbers, texts and packets."""

import pytest
from orchestra_plugins.openssh.wire import LARGEST, Malformed, Packets, Reader, boolean, string, uint32


def test_what_is_written_is_read():
    reader = Reader(uint32(7) + string("grüß") + boolean(True) + boolean(False) + b"rest")
    assert (reader.uint32(), reader.string(), reader.boolean(), reader.boolean()) == (7, "grüß".encode(), True, False)
    assert reader.rest() == b"rest"


def test_names_of_files_that_are_no_text_survive():
    assert string("\udcff") == b"\0\0\0\1\xff"


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\5abcd"])
def test_what_ends_early_is_malformed(data):
    with pytest.raises(Malformed):
        Reader(data).string()


def test_packets_come_whole_however_they_were_cut():
    sent = [b"", b"a", bytes(1000)]
    whole = b"".join(string(each) for each in sent)
    for size in (1, 3, 500, len(whole)):
        packets = Packets()
        assert [p for i in range(0, len(whole), size) for p in packets.feed(whole[i : i + size])] == sent


def test_a_packet_that_is_too_large_is_never_waited_for():
    with pytest.raises(Malformed, match=str(LARGEST + 1)):
        list(Packets().feed(uint32(LARGEST + 1)))
