"""The shapes as JSON Schema, draft 07: the dialect that yaml-language-server reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from orchestra.loading.shapes.base import TEXT
from orchestra.loading.shapes.file import File
from orchestra.loading.shapes.ssh import SECRET
from orchestra.model.text import reason
from orchestra.plugin.vocabulary import Model, SecretSpec, Vocabulary, model_of

Schema: TypeAlias = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
REFERENCE = "#/definitions/{model}"


def json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema of a topology file, with the words that these plugins add."""
    schema = File.model_json_schema(ref_template=REFERENCE, by_alias=True)
    definitions: Schema = schema.pop("$defs")
    _add_plugged(definitions, "Transport", vocabulary.transports, ())
    _add_plugged(definitions, "Check", vocabulary.checks, ("none",))
    _add_kinds(definitions, vocabulary)
    definitions["Secret"] = _secret(definitions, vocabulary.secrets.values())
    definitions["Rule"]["oneOf"] = [{"required": ["allow"]}, {"required": ["deny"]}]
    definitions["Nat"]["oneOf"] = [
        {"required": ["masquerade"], "properties": {"masquerade": {"const": True}}, "not": _any_of("port", "to")},
        {"required": ["port", "to"], "properties": {"masquerade": {"const": False}}},
    ]
    _long(definitions["Target"])["anyOf"] = [{"required": ["address"]}, {"required": ["display"]}]
    schema["properties"]["version"]["const"] = 1
    whole = {"$schema": DIALECT, **schema, "title": "orchestra topology", "definitions": definitions}
    drafted: Schema = _draft_07(whole)
    return drafted


def options_schema(fields: Model) -> dict[str, Any]:
    """The schema of what an importer or exporter takes by ``--set KEY=VALUE``."""
    definitions: Schema = {}
    own = {key: item for key, item in _fields(definitions, fields).items() if key != "patternProperties"}
    drafted: Schema = _draft_07({**own, "definitions": definitions} if definitions else own)
    return drafted


def _any_of(*keys: str) -> Schema:
    return {"anyOf": [{"required": [key]} for key in keys]}


def _long(definition: Schema) -> Schema:
    """The map's own schema, behind the short forms."""
    long: Schema = definition["anyOf"][-1] if "anyOf" in definition else definition
    return long


def _add_plugged(definitions: Schema, name: str, specs: Mapping[str, Any], words: Iterable[str]) -> None:
    """One alternative for each plugin, with its own fields beside `type`."""
    long = _long(definitions[name])
    forms = [_plugged(definitions, long, kind, spec.fields) for kind, spec in sorted(specs.items())]
    forms += [_plugged(definitions, long, word, None) for word in words]
    definitions[name]["anyOf"] = [{"enum": sorted({*specs, *words})}, *forms]


def _plugged(definitions: Schema, long: Schema, kind: str, fields: Model | None) -> Schema:
    own = _fields(definitions, fields)
    return {
        **long,
        "properties": {
            **own.get("properties", {}),
            **long["properties"],
            "type": _constant(long["properties"]["type"], kind),
        },
        "required": ["type", *own.get("required", [])],
    }


def _constant(field: Schema, value: str) -> Schema:
    return {"description": field["description"], "const": value}


def _add_kinds(definitions: Schema, vocabulary: Vocabulary) -> None:
    """The fields of each kind stand under its name, and only there."""
    tunnel = _long(definitions["Tunnel"])
    tunnel["properties"]["kind"] |= {"enum": sorted(vocabulary.kinds)}
    for key in ("type", "$comment"):
        tunnel["properties"]["kind"].pop(key)
    for name, spec in sorted(vocabulary.kinds.items()):
        if spec.fields is not None and name not in tunnel["properties"]:
            about = {"description": f"The fields of a tunnel of kind {name}."}
            tunnel["properties"][name] = about | _fields(definitions, spec.fields)
            needs = {"properties": {"kind": {"const": name}}, "required": ["kind"]}
            tunnel.setdefault("dependencies", {})[name] = needs


def _fields(definitions: Schema, fields: Model | None) -> Schema:
    if fields is None:
        return {}
    try:
        schema = TypeAdapter(model_of(fields)).json_schema(ref_template=REFERENCE, by_alias=True)
    except Exception as error:  # noqa: BLE001 - somebody else's model
        return {"$comment": f"its model cannot be described: {reason(error)}"}
    for name, definition in schema.pop("$defs", {}).items():
        definitions.setdefault(name, definition)
    return schema | {"patternProperties": {"^x-": {}}}


def _secret(definitions: Schema, specs: Iterable[SecretSpec]) -> Schema:
    words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    values: dict[str, Schema] = {"text": TEXT, "path": TEXT, "command": words, "any": {}}
    return {
        "description": "A secret by reference: a map with one of these keys.",
        "type": "object",
        "properties": {
            spec.name: (_fields(definitions, spec.fields) or values[spec.value]) | {"description": _meaning(spec)}
            for spec in specs
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _meaning(spec: SecretSpec) -> str:
    return spec.meaning or f"A secret of {spec.package}."


def _draft_07(value: Any) -> Any:
    """Draft 07 ignores what stands beside ``$ref``; and no key may be left without a value, so null is no default."""
    if isinstance(value, list):
        return [_draft_07(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.items() >= SECRET.items():
        value = {key: item for key, item in value.items() if key not in SECRET}
        value["$ref"] = REFERENCE.format(model="Secret")
    value = {key: _draft_07(item) for key, item in value.items() if not (key == "default" and item is None)}
    if "$ref" in value and len(value) > 1:
        reference = value.pop("$ref")
        value["allOf"] = [{"$ref": reference}]
    return value
