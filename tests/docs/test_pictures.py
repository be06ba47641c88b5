"""The README's picture is the one that `orchestra graph` draws of the topology beside it."""

import re
from xml.etree import ElementTree as ET

from orchestra.render.picture import svg
from tests.docs.test_documents import ROOT, blocks
from tests.render.picture import drawings


def parts(text: str) -> tuple[set[str | None], list[str]]:
    """Ids, and every word; places may differ from one version of the layout library to another."""
    root = ET.fromstring(text)  # noqa: S314 - our own file
    return {element.get("id") for element in root.iter()}, sorted(root.itertext())


def test_the_picture_shows_the_topology_of_the_readme(tmp_path) -> None:
    (office,) = (body for body in blocks(ROOT / "README.md", "yaml") if body.startswith("# office.yaml"))
    (tmp_path / "office.yaml").write_text(office)
    drawn = svg(drawings.placed_of(drawings.read(str(tmp_path / "office.yaml"))))
    assert parts((ROOT / "docs" / "office.svg").read_text()) == parts(drawn.replace(f"{tmp_path}/", ""))
    assert re.search(r"!\[[^]]+\]\(docs/office\.svg\)", (ROOT / "README.md").read_text())
