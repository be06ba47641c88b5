"""Text to topology: YAML with positions, includes, variables, short forms, defaults, names.

The only part of the core that knows pydantic. Everything that is wrong in a file is reported in one run, with file,
line and column.

==============  ==============================================================================================
scalars, nodes  what YAML says: plain scalars by YAML 1.2, a tree that knows where everything stands
reader, syntax  libyaml's events to that tree; what it trips over, in words
files           reading, ``include``, several files over one another; variables in values
shapes/         the models: what may stand where, with every short form; also the source of the JSON Schema
entries, draft  the tree against the shapes, entry by entry, with the defaults of its section
building/       shapes to the model: names resolved, contradictions reported
loader          the whole way
schema          the shapes as JSON Schema
==============  ==============================================================================================
"""

from orchestra.loading.loader import Loaded, find_file, load
from orchestra.loading.schema import json_schema
from orchestra.loading.template import TEMPLATE

__all__ = ["TEMPLATE", "Loaded", "find_file", "json_schema", "load"]
