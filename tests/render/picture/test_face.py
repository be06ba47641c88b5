"""What is written on the parts of a picture, and the room for it."""

from dataclasses import replace

from orchestra.diagnostics import Place
from orchestra.render.picture.face import caption, face, flat, label, label_size, size, width
from orchestra.render.picture.scene import Mark, Socket, Zone
from tests.render.picture.test_scene import GATEWAY, LAPTOP, SSH


def texts(node):
    return [flat(line) for line in face(node)]


def test_a_host_says_its_name_and_its_addresses():
    assert texts(LAPTOP) == ["laptop here"]
    assert texts(GATEWAY) == ["gateway", "dmz 203.0.113.2", "office 10.0.0.2"]


def test_sockets_and_marks():
    listener = Socket(name="desk", address="localhost:5920", listener=True)
    own = Socket(name="laptop", address="10.0.0.1:80", listener=False, steps=(2,))
    mark = Mark(text="ssh-only", passes=False, steps=(1, 3), place=Place("a.yaml", 7, 1))
    assert texts(replace(LAPTOP, sockets=(own, listener), marks=(mark,)))[1:] == [
        "2. 10.0.0.1:80",
        "◉ desk localhost:5920",
        "1. 3. ✘ ssh-only line 7",
    ]
    exposed = texts(replace(LAPTOP, sockets=(replace(listener, exposed=True),)))
    assert exposed[1].endswith("⚠ exposed")


def test_long_texts_are_cut_and_said_in_full_beside_it():
    mark = Mark(text="x" * 100, passes=True)
    line = face(replace(LAPTOP, marks=(mark,)))[1]
    assert "…" in flat(line)
    assert line.title == "x" * 100


def test_many_lines_are_counted():
    sockets = tuple(Socket(name=f"s{number}", address=":1", listener=True) for number in range(9))
    assert texts(replace(LAPTOP, sockets=sockets))[-1] == "+ 4 more"


def test_a_box_has_room_for_its_lines():
    wide, high = size(GATEWAY)
    assert wide > width("quiet", "dmz") + width("mono", "203.0.113.2")
    assert high > size(LAPTOP)[1]
    assert width("word", "漢字") > width("word", "ab")


def test_arrows_and_zones_have_their_text():
    assert flat(label(SSH)) == "1. ssh 203.0.113.2:22"
    assert label_size(SSH)[0] > width("mono", SSH.text)
    assert flat(caption(Zone(name="dmz", detail="203.0.113.0/28"))) == "dmz 203.0.113.0/28"
