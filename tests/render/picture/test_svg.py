"""SVG: well-formed, nothing outside the canvas, nothing from outside, every text escaped."""

import dataclasses
import re
from xml.etree import ElementTree as ET

import pytest

from orchestra.render.picture import arrange, svg
from orchestra.render.picture.face import width
from orchestra.render.picture.scene import Mark, Node, Scene, Socket, Zone
from tests.render.picture import drawings

SPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = '</script><img src=x onerror=alert(1)>" onload=alert(2) x="\'&\u202e\x00\x1b\ufffe]]>'


def parsed(text):
    return ET.fromstring(text)  # noqa: S314 - our own output


@pytest.mark.parametrize("file", drawings.EXAMPLES)
def test_well_formed_and_inside_the_canvas(file):
    root = parsed(svg(drawings.placed_of(drawings.read(file))))
    check_canvas(root)


@pytest.mark.parametrize("hosts", drawings.SIZES)
def test_large_ones_too(hosts, tmp_path):
    check_canvas(parsed(svg(drawings.placed_of(drawings.read(drawings.generated(hosts), tmp_path)))))


def check_canvas(root):
    """Every text ends before the right border, by the widths that the layout reckons with."""
    wide, high = float(root.get("width")), float(root.get("height"))
    for group, down in ((root, 0.0), *((each, shift(each)) for each in root.iter(f"{SPACE}g"))):
        for element in group.findall(f"{SPACE}text"):
            spans = element.findall(f"{SPACE}tspan")
            needed = sum(width(span.get("class"), span.text) + 6 for span in spans)
            assert 0 <= float(element.get("x")) + needed <= wide
            assert 0 <= float(element.get("y")) + down <= high


def shift(group):
    found = re.match(r"translate\(\S+ (\S+)\)", group.get("transform", ""))
    return float(found[1]) if found else 0.0


def test_ids_are_stable_and_unique(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    root = parsed(svg(drawings.placed_of(topology)))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {"node-gateway", "zone-office", "arrow-session-gateway"} <= set(ids)
    (session,) = (element for element in root.iter() if element.get("data-session") == "gateway")
    assert session.get("data-tunnels") == "db qemu wiki"
    again = parsed(svg(drawings.placed_of(topology, tunnels=["wiki"])))
    assert any(element.get("id") == "arrow-session-gateway" for element in again.iter())


def test_what_is_blocked_has_a_sign_and_another_line(tmp_path):
    root = parsed(svg(drawings.placed_of(drawings.read(drawings.BLOCKED, tmp_path))))
    classes = [element.get("class") for element in root.iter()]
    assert classes.count("stop") == 1
    assert classes.count("line beyond") == 1
    assert "✘ blocked" in "".join(root.itertext())


def test_nothing_comes_from_outside(tmp_path):
    text = svg(drawings.placed_of(drawings.read(drawings.BLOCKED, tmp_path)))
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    for forbidden in ("<script", "@import", "url(", "href", "<image", "<foreignObject", " style="):
        assert forbidden not in text
    assert "prefers-color-scheme:dark" in text


def hostile():
    """A scene in which every text is an attack."""
    place = (HOSTILE, HOSTILE)
    mark = Mark(text=HOSTILE, passes=False, tunnels=(HOSTILE,))
    socket = Socket(name=HOSTILE, address=HOSTILE, listener=True, tunnels=(HOSTILE,))
    node = Node(id=HOSTILE, kind="server", name=HOSTILE, attached=(place,), marks=(mark,), sockets=(socket,))
    return Scene(title=HOSTILE, subtitle=HOSTILE, zones=(Zone(name=HOSTILE, detail=HOSTILE),), nodes=(node,))


def test_hostile_texts_stay_texts():
    text = svg(arrange(hostile()))
    root = parsed(text)
    assert {element.tag.removeprefix(SPACE) for element in root.iter()} <= {
        *("svg", "title", "style", "rect", "g", "path", "text", "tspan", "circle"),
    }
    assert "<img" not in text
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert "\x00" not in text


def test_the_same_scene_is_the_same_text(tmp_path):
    topology = drawings.read(drawings.generated(30), tmp_path)
    assert svg(drawings.placed_of(topology)) == svg(drawings.placed_of(topology))


def test_colours_are_named_in_one_place(tmp_path):
    text = svg(drawings.placed_of(drawings.read(drawings.BLOCKED, tmp_path)))
    body = text[text.index("</style>") :]
    assert not re.search(r"fill=|stroke=|#[0-9a-f]{6}", body)


def test_in_a_page_it_has_no_style_and_no_heading_of_its_own():
    placed = drawings.placed_of(drawings.read("topologies/nat.yaml"))
    assert "<style" not in svg(placed, alone=False)
    assert 'class="title"' not in svg(placed, alone=False)
    renamed = dataclasses.replace(placed, scene=dataclasses.replace(placed.scene, title="other"))
    assert ">other<" in svg(renamed)
