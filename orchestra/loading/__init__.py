"""Text to topology: YAML with positions, includes, variables, short forms, defaults, names.

The only part of the core that knows pydantic. Everything that is wrong in a file is reported in one run, with file,
line and column.

==============  ==============================================================================================
scalars, nodes  what YAML says: plain scalars by YAML 1.2, a tree that knows where everything stands
reader, syntax  libyaml's events to that tree; what it trips over, in words
finding         which file, when none is named
files           reading, ``include``, several files over one another; variables in values
shapes/         the models: what may stand where, with every short form; also the source of the JSON Schema
entries, draft  the tree against the shapes, entry by entry, with the defaults of its section
building/       shapes to the model: names resolved, contradictions reported
loader          the whole way
names           a short way, to what the entries are called
schema          the shapes as JSON Schema
==============  ==============================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.lazily import lazily

if TYPE_CHECKING:
    from orchestra.loading.finding import find_file
    from orchestra.loading.loader import Loaded, load
    from orchestra.loading.schema import json_schema
    from orchestra.loading.shapes.ssh import Secret
    from orchestra.loading.shapes.values import Command, File, PositiveDuration
    from orchestra.loading.template import TEMPLATE

__all__ = ["TEMPLATE", "Command", "File", "Loaded", "PositiveDuration", "Secret", "find_file", "json_schema", "load"]

__getattr__ = lazily(
    __name__,
    {
        "TEMPLATE": "template",
        "Command": "shapes.values",
        "File": "shapes.values",
        "Loaded": "loader",
        "PositiveDuration": "shapes.values",
        "Secret": "shapes.ssh",
        "find_file": "finding",
        "json_schema": "schema",
        "load": "loader",
    },
)
"""Building the shapes takes longer than reading a file: who needs only its names does not wait for them."""
