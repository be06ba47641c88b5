"""The reference of the topology file: its JSON Schema as a document in Markdown, key by key.

Of the schema it asks two things: a type with a name of its own has it in ``$comment``, as ``NAME: MEANING``, and a
default that is no constant stands at the end of the description, behind ``; default: ``.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema: TypeAlias = "Mapping[str, Any]"

HEAD = """\
# Reference of the topology file

Every key, with its type and its default; [the guide](topology.md) says how they go together. This page is what
`orchestra schema -o markdown` prints; yours also has the keys of the plugins that you have installed.

NAME is a name of your own, and `[]` an entry of a list. Where a list of words or numbers may stand, one by itself is a
list of one. Keys that begin with `x-` are ignored, except among names."""

_SAME_AS_ENTRIES = "Defaults"
"""What stands below it is said of the sections themselves."""
_PLAIN = re.compile(r"[A-Za-z0-9~](?:[\w./@ +-]|:(?! ))*")


def reference(schema: Schema) -> str:
    """The document; ``schema`` is that of the whole file."""
    shapes: dict[str, tuple[Schema, list[str]]] = {}
    for name, shape, path in _shapes_below(schema):
        shapes.setdefault(name, (shape, []))[1].append(path)
    sections = (_section(name, shape, paths) for name, (shape, paths) in shapes.items())
    types = sorted({comment.partition(": ")[::2] for comment in _comments(schema)}, key=lambda each: each[0].lower())
    rows = "\n".join(f"| {name} | {meaning} |" for name, meaning in types)
    return "\n\n".join(
        (HEAD, f"## The file\n\n{_table(schema)}", *sections, f"## Types\n\n| type | is |\n|---|---|\n{rows}")
    )


def _shapes_below(schema: Schema) -> Iterator[tuple[str, Schema, str]]:
    """Name, shape and path of every map with keys of its own, those higher up first."""
    queue = deque([(schema, "", frozenset[str]())])
    while queue:
        shape, path, above = queue.popleft()
        for key, fields in _keys(shape).items():
            for name, found, place in _shapes_of(fields[0], f"{path}.{key}".lstrip("."), schema["definitions"]):
                if name not in above:
                    yield name, found, place
                    if name != _SAME_AS_ENTRIES:
                        queue.append((found, place, above | {name}))


def _shapes_of(field: Schema, path: str, definitions: Schema) -> Iterator[tuple[str, Schema, str]]:
    """The shapes that a value may have, or its entries."""
    if "$ref" in field:
        name = _referred(field)
        yield name, definitions[name], path
    if "properties" in field:
        yield path.rpartition(".")[2].title(), field, path
    for form in (*field.get("anyOf", ()), *field.get("allOf", ())):
        yield from _shapes_of(form, path, definitions)
    for entries, suffix in (("items", "[]"), ("additionalProperties", ".NAME")):
        if isinstance(field.get(entries), dict):
            yield from _shapes_of(field[entries], f"{path}{suffix}", definitions)


def _forms(shape: Schema) -> list[Schema]:
    """The long forms of a shape: one, or one for each plugin that may be its ``type``."""
    return [form for form in shape.get("anyOf", (shape,)) if "properties" in form]


def _keys(shape: Schema) -> dict[str, list[Schema]]:
    """Every key of a shape, with what it is in each form that has it."""
    found: dict[str, list[Schema]] = {}
    for form in _forms(shape):
        for key, field in form["properties"].items():
            found.setdefault(key, []).append(field)
    return found


def _section(name: str, shape: Schema, paths: list[str]) -> str:
    about = _line(shape.get("description", ""))
    empty = " May stand empty." if {"type": "null"} in shape.get("anyOf", ()) else ""
    where = ", ".join(f"`{path}`" for path in dict.fromkeys(paths))
    return f"## {_heading(name)}\n\n{where}\n\n{about}{empty}\n\n{_table(shape)}"


def _table(shape: Schema) -> str:
    forms = _forms(shape)
    rows = []
    for key, fields in _keys(shape).items():
        having = [form for form in forms if key in form["properties"]]
        types = " or ".join(dict.fromkeys(_link(key) if "properties" in field else _type(field) for field in fields))
        needed = all(key in form.get("required", ()) for form in having)
        meaning, _, default = _line(fields[0].get("description", "")).partition("; default: ")
        if len(having) < len(forms):
            meaning = f"Of {', '.join(_type(form['properties']['type']) for form in having)}: {meaning}"
        default = "needed" if needed else default.rstrip(".") or _constant(fields[0].get("default"))
        rows.append(f"| `{key}` | {types} | {default} | {meaning.rstrip('.')}.{_example(key, fields[0])} |")
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)


def _line(text: str) -> str:
    return " ".join(text.split())


def _type(field: Schema) -> str:
    """In a few words, what may stand there."""
    if comment := field.get("$comment"):
        return str(comment).partition(": ")[0]
    if "const" in field or "enum" in field:
        words = field.get("enum") or [field["const"]]
        return " or ".join(f"`{word}`" for word in words if not isinstance(word, bool))
    if "$ref" in field:
        return _link(_referred(field))
    if forms := [form for form in (*field.get("anyOf", ()), *field.get("allOf", ())) if form != {"type": "null"}]:
        of_lists = [form["items"] for form in forms if "items" in form]
        return ", or ".join(dict.fromkeys(_type(form) for form in forms if form not in of_lists))
    match field.get("type"):
        case "array":
            return f"list of {_plural(_type(field['items']))}"
        case "object" if isinstance(field.get("additionalProperties"), dict):
            return f"map of names to {_plural(_type(field['additionalProperties']))}"
        case "boolean":
            return "yes or no"
        case "integer" | "number":
            return "number"
        case "string":
            return "text"
    return "map"


def _plural(words: str) -> str:
    if words.startswith("list of"):
        return words
    return re.sub(r"s?(?=\]|\Z)", lambda end: "ses" if end[0] else "s", words, count=1)


def _constant(value: Any) -> str:
    return "–" if value in (None, [], {}) else f"`{_flow(value[0] if isinstance(value, list) else value)}`"


def _example(key: str, field: Schema) -> str:
    return "".join(f" `{key}: {_flow(example)}`" for example in field.get("examples", ()))


def _flow(value: Any) -> str:
    """As YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value)


def _comments(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(comment := part.get("$comment"), str):
            yield comment
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _comments(item)


def _referred(field: Schema) -> str:
    return str(field["$ref"]).rpartition("/")[2]


def _link(name: str) -> str:
    words = _heading(name).lower()
    return f"[{words}](#{words.replace(' ', '-')})"


def _heading(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
