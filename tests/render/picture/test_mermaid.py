"""Mermaid: only what the grammar of flowcharts has, and no text that could end its quotes."""

import re

import pytest

from orchestra.render.picture import mermaid
from orchestra.render.picture.scene import Stop, stops
from tests.render.picture import drawings
from tests.render.picture.test_svg import hostile

QUOTED = r'"(?:[^"#`;\[\]{}()<>|\\&]|<br/>|#\d+;)*"'
ID = r"[nz]\d+"
SHAPES = (r"\(\[%s\]\)", r"\{\{%s\}\}", r"\[/%s/\]", r"\[\[%s\]\]", r"\[%s\]")
NODE = "|".join(shape % QUOTED for shape in SHAPES)
GRAMMAR = re.compile(
    "|".join(
        (
            "flowchart LR",
            rf"  subgraph z\d+\[{QUOTED}\]",
            "  end",
            rf"  z\d+\({QUOTED}\):::zone",
            rf" {{2,4}}n\d+(?:{NODE})(?::::\w+)?",
            rf"  {ID} (?:---|==>|-->|-\.->)(?:\|{QUOTED}\|)? {ID}",
            r"  linkStyle \d+(?:,\d+)* [\w:#,\- ]+",
            r"  classDef \w+ [\w:#,\- ]+",
        )
    )
)


def check(text):
    """Every line, every name defined once, every link counted."""
    lines = text.splitlines()
    for line in lines:
        assert GRAMMAR.fullmatch(line), line
    depth = [line.strip().split()[0] for line in lines if line.strip().split()[0] in ("subgraph", "end")]
    assert depth == ["subgraph", "end"] * (len(depth) // 2)
    defined = re.findall(r"^ {2,4}(?:subgraph )?([nz]\d+)[\[({]", text, re.MULTILINE)
    assert len(defined) == len({*defined})
    links = re.findall(rf"^  ({ID}) \S+ ({ID})$", re.sub(r"\|.*?\|", "", text), re.MULTILINE)
    assert {name for link in links for name in link} <= {*defined}
    styled = re.search(r"linkStyle (\S+)", text)
    assert styled is None or max(map(int, styled[1].split(","))) < len(links)


@pytest.mark.parametrize("file", drawings.EXAMPLES)
def test_examples(file):
    check(mermaid(drawings.scene_of(drawings.read(file))))


@pytest.mark.parametrize("hosts", drawings.SIZES)
def test_generated_ones(hosts, tmp_path):
    check(mermaid(drawings.scene_of(drawings.read(drawings.generated(hosts), tmp_path))))


def test_blocked(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.BLOCKED, tmp_path))
    text = mermaid(scene)
    check(text)
    links = re.findall(r"^  [nz]\d+ (?:---|==>|-->|-\.->).*$", text, re.MULTILINE)
    styled = [int(number) for number in re.search(r"linkStyle (\S+)", text)[1].split(",")]
    assert "✘ 2. 10.30.0.8:5432" in links[styled[-1]]
    assert len(styled) == 2
    assert Stop("dmz", zone=True) in stops(scene)[scene.arrows[0].id] or "z0(" in text


def test_hostile_texts_stay_texts():
    text = mermaid(hostile())
    check(text)
    assert "<img" not in text
    assert "</script" not in text
    assert "\u202e" not in text
