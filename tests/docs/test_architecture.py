"""The architecture document and its picture name the layers that are there."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.test_layers import LAYERS

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = DOCS.parent / "orchestra"


def test_the_table_lists_every_layer_from_the_top_down() -> None:
    text = (DOCS / "architecture.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text.split("## Layers")[1].split("##")[0], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"\w+", row)]
    assert named == [name for names in LAYERS for name in names]


def test_every_package_inside_a_layer_is_named() -> None:
    text = (DOCS / "architecture.md").read_text()
    packages = {str(init.parent.relative_to(SOURCE)) for init in SOURCE.glob("*/*/__init__.py")}
    assert packages == set(
        re.findall(r"`((?:\w+)/(?:\w+))`", text.split("Packages inside the layers")[1].split("##")[0])
    )


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (SOURCE.parent / "Makefile").read_text(), re.MULTILINE))
    for document in [SOURCE.parent / "README.md", *DOCS.glob("*.md")]:
        assert set(re.findall(r"(?:`|^)make ([\w-]+)", document.read_text(), re.MULTILINE)) <= targets, document.name


def test_the_picture_is_whole_and_names_the_parts() -> None:
    root = ET.parse(DOCS / "architecture.svg").getroot()  # noqa: S314 - our own file
    words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"loading", "graph", "planning", "Plan", "engine", "session", "control", "lab"} <= words
