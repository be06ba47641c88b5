"""Shapes that plugins extend: the word in the file picks the plugin's own model, and that model checks the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault
from orchestra.loading.nodes import BROKEN
from orchestra.loading.report import did_you_mean, plugins_word, quoted
from orchestra.loading.shapes.base import OPTIONS, JsonSchema, Shape, Text, unknown_key
from orchestra.loading.shapes.translate import faults_of
from orchestra.loading.shapes.values import PositiveDuration
from orchestra.model.text import reason
from orchestra.model.topology import CheckRef, CommandRef, SecretRef
from orchestra.plugin.vocabulary import Model, Vocabulary, model_of

USUAL = CheckRef()


def plugin_options(
    fields: Model | None,
    given: Mapping[str, Any],
    at: str | None,
    vocabulary: Vocabulary,
    faults: list[Fault],
    beside: frozenset[str] = frozenset(),
) -> Any:
    """What a plugin's own model makes of its fields, as plain values spelled as in the file; faults stand below ``at``.
    Secrets stay references. ``beside``: the keys that stand among them and are no plugin's.

    A model that raises what a model must not raise is reported with the plugin's keys.
    """
    prefix = () if at is None else (at,)
    if isinstance(given, Mapping):  # else a short form, which the model may know
        given = {key: _whole(value) for key, value in given.items() if not key.startswith("x-")}
    if fields is None:
        faults += [unknown_key(key, beside).below(prefix) for key in given]
        return {}
    try:
        fields = model_of(fields)
        made = TypeAdapter(fields).validate_python(given, context=vocabulary)
    except ValidationError as error:
        faults += [_hinted(fault, fields, beside).below(prefix) for fault in faults_of(error)]
    except Exception as error:  # noqa: BLE001 - somebody else's code
        named = fields if hasattr(fields, "__name__") else type(fields)
        whose = f"{named.__name__} of the plugin {named.__module__.partition('@')[0]}"
        faults.append(Fault(f"the model {whose} failed: {reason(error)}", code=Code.PLUGIN_FAILED, key=prefix))
    else:
        return _plain(made) if isinstance(made, BaseModel) else dict(vars(made))
    return {}


def _plain(made: BaseModel) -> dict[str, Any]:
    plain = made.model_dump(by_alias=True)
    for name, field in type(made).model_fields.items():
        value = getattr(made, name)
        if isinstance(value, BaseModel | SecretRef | CommandRef):
            plain[field.alias or name] = _plain(value) if isinstance(value, BaseModel) else value
    return plain


def _whole(value: Any) -> Any:
    """Without the holes of what is reported already."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value if item is not BROKEN] if isinstance(value, list) else value


def _hinted(fault: Fault, fields: Model, beside: frozenset[str]) -> Fault:
    known = getattr(fields, "model_fields", None)
    if fault.code is Code.UNKNOWN_KEY and fault.suggestion is None and known is not None and len(fault.key) == 1:
        names = {field.alias or name for name, field in known.items()} | beside
        fault.suggestion = did_you_mean(str(fault.key[0]), names)
    return fault


class Plugged(Shape):
    """A map with the name of a plugin's thing as ``type``, and that thing's own fields beside it."""

    thing: ClassVar[str]
    short: ClassVar[tuple[JsonSchema, ...]] = ({"type": "string"},)

    type: Text
    """Which one; the fields of a plugin's stand beside it."""
    options: dict[str, Any] = Field(default_factory=dict, alias="\0options")

    @classmethod
    def words(cls, vocabulary: Vocabulary) -> Mapping[str, Any]:
        """Name to specification."""
        raise NotImplementedError

    @classmethod
    def plain_words(cls) -> frozenset[str]:
        """Words that stand for no plugin."""
        return frozenset()

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @classmethod
    def open_up(cls, value: dict[str, Any], vocabulary: Any, faults: list[Fault]) -> dict[str, Any]:
        name = value.get("type")
        if vocabulary is None:
            return value
        own = {key: item for key, item in value.items() if key in cls._known}
        if not isinstance(name, str):
            return own  # nobody knows whose fields the others are
        known = cls.words(vocabulary)
        spec = known.get(name)
        if spec is not None:
            rest = {key: item for key, item in value.items() if key not in cls._known}
            own[OPTIONS] = plugin_options(spec.fields, rest, None, vocabulary, faults, cls._known - {OPTIONS})
        elif name not in cls.plain_words():
            faults.append(
                Fault(
                    f"there is no {cls.thing} {quoted(name)}",
                    code=Code.UNKNOWN_NAME,
                    suggestion=plugins_word(cls.thing, name, {*known, *cls.plain_words()}, vocabulary.absent),
                    key=("type",),
                )
            )
        return own


class Transport(Plugged):
    """How sessions to a server are opened. Short form: the transport's name."""

    expects: ClassVar[str] = "the name of a transport, or a map with `type`,"
    thing: ClassVar[str] = "transport"

    @classmethod
    def words(cls, vocabulary: Vocabulary) -> Mapping[str, Any]:
        return vocabulary.transports


class Check(Plugged):
    """How a tunnel is proven. Short form: the check's name, or `none`."""

    expects: ClassVar[str] = "the name of a check, or a map with `type`,"
    thing: ClassVar[str] = "check"

    every: PositiveDuration | None = Field(default=None, examples=["60s"])
    """How often it is repeated, while nobody else's connections succeed; default: once, each time the path opens."""
    timeout: PositiveDuration | None = Field(default=None, examples=["5s"])
    """How long one run may take, dial and all; default: 10 s for the answers, after the tunnel's `dial_timeout`."""
    rise: int = Field(default=USUAL.rise, ge=1)
    """How many runs in a row have to succeed until a tunnel that was not proven any more is proven again."""
    fall: int = Field(default=USUAL.fall, ge=1)
    """How many runs in a row have to fail until a proven tunnel is proven no more."""

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Check:
        if self.timeout is not None and self.every is not None and self.timeout > self.every:
            raise Fault(
                f"a run may take {self.timeout:g} s, but the next begins after {self.every:g} s",
                suggestion="make `timeout` no longer than `every`",
                key=("timeout",),
            )
        return self

    @classmethod
    def words(cls, vocabulary: Vocabulary) -> Mapping[str, Any]:
        return vocabulary.checks

    @classmethod
    def plain_words(cls) -> frozenset[str]:
        return frozenset({"none"})
