from __future__ import annotations

from orchestra.loading.nodes import BROKEN, Branch, Node, as_written, exact, find, graft, merge, paths, plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report


def tree(text: str, file: str = "f") -> Node:
    node = read_yaml(file, text, environ={}, report=Report(), dropped=set())
    assert node is not None
    return node


def test_merging_keeps_the_places_of_the_winner() -> None:
    merged = merge(tree("a: {b: 1, c: 2}\nd: [1, 2]\n", "under"), tree("a: {c: 3}\nd: [4]\n", "over"))
    assert merged is not None
    assert plain(merged) == {"a": {"b": 1, "c": 3}, "d": [4]}
    assert exact(merged, ("a", "b")) == ("under", 1, 5)
    assert exact(merged, ("a", "c")) == ("over", 1, 5)
    assert exact(merged, ("d", 0)) == ("over", 2, 5)


def test_merging_changes_neither() -> None:
    under, over = tree("a: {b: 1}\n"), tree("a: {b: 2}\n")
    merge(under, over)
    assert (plain(under), plain(over)) == ({"a": {"b": 1}}, {"a": {"b": 2}})


def test_what_is_dropped_is_left_out_and_leaves_a_hole_in_lists() -> None:
    root = tree("a: [1, x, 3]\nb: 0777\n")
    second, b = find(root, ("a", 1))[0], find(root, ("b",))[0]
    assert plain(root, {id(second), id(b)}) == {"a": [1, BROKEN, 3]}
    assert plain(root, (), {id(b)}) == {"a": [1, "x", 3], "b": "0777"}


def test_paths_of_the_long_form_find_the_short_one() -> None:
    root = tree("n: 10.0.0.0/24\nl: [a, b]\n")
    assert find(root, ("n", "cidr", 0))[1] == ("f", 1, 1)
    assert as_written(root, ("n", "cidr", 0)) == ("n",)
    assert find(root, ("l", "b"))[1] == ("f", 2, 8), "a list of names that became a map"
    assert as_written(root, ("l", "b")) == ("l", 1)
    assert exact(root, ("n", "cidr")) is None


def test_grafted_values_stand_where_their_short_form_stands() -> None:
    node = graft({"ssh": {"host": "22", "port": 22}, "list": [True]}, ("f", 3, 7))
    assert isinstance(node, Branch)
    assert exact(node, ("ssh", "port")) == ("f", 3, 7)
    assert plain(node) == {"ssh": {"host": "22", "port": 22}, "list": [True]}


def test_every_path_once() -> None:
    assert list(paths(tree("a: {b: [1, {c: 2}]}\n"))) == [
        ("a",),
        ("a", "b"),
        ("a", "b", 0),
        ("a", "b", 1),
        ("a", "b", 1, "c"),
    ]
