"""DOT: read by a parser of the language, and by Graphviz itself where that is installed."""

import shutil
import subprocess

import pydot
import pytest

from orchestra.render.picture import dot
from orchestra.render.picture.scene import stops
from tests.render.picture import drawings
from tests.render.picture.test_svg import hostile

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the parser, by its own parser


def parsed(text):
    (graph,) = pydot.graph_from_dot_data(text)
    return graph


@pytest.mark.parametrize("file", drawings.EXAMPLES)
def test_examples(file):
    scene = drawings.scene_of(drawings.read(file))
    graph = parsed(dot(scene))
    nodes = {node.get_name() for each in (graph, *graph.get_subgraphs()) for node in each.get_nodes()}
    assert {f'"{node.id}"' for node in scene.nodes} <= nodes
    assert len(graph.get_edges()) == len(scene.wires) + sum(len(way) - 1 for way in stops(scene).values())
    ends = {end for edge in graph.get_edges() for end in (edge.get_source(), edge.get_destination())}
    assert ends <= nodes


def test_blocked(tmp_path):
    graph = parsed(dot(drawings.scene_of(drawings.read(drawings.BLOCKED, tmp_path))))
    (last,) = (edge for edge in graph.get_edges() if edge.get_source() == '"core"')
    assert (last.get_style(), last.get_label()) == ("dashed", '"✘ 2. 10.30.0.8:5432"')


def test_hostile_texts_stay_texts():
    graph = parsed(dot(hostile()))
    assert len(graph.get_subgraphs()) == 1
    assert len(graph.get_subgraphs()[0].get_nodes()) >= 1


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
@pytest.mark.parametrize("hosts", drawings.SIZES)
def test_graphviz_draws_it(hosts, tmp_path):
    text = dot(drawings.scene_of(drawings.read(drawings.generated(hosts), tmp_path)))
    done = subprocess.run(["dot", "-Tsvg"], input=text, text=True, capture_output=True, check=False, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    assert "<svg" in done.stdout
