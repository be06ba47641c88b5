"""Secrets by reference, and files among the fields of plugins: what they name becomes absolute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestra.diagnostics import KeyPath
from orchestra.loading.building.scope import Scope
from orchestra.model.topology import SecretRef
from orchestra.plugin.vocabulary import Vocabulary


def secret(scope: Scope, ref: SecretRef, path: KeyPath, vocabulary: Vocabulary) -> SecretRef:
    """One that stands at ``path``."""
    spec = vocabulary.secrets[ref.kind]
    value = scope.file(ref.value, (*path, ref.kind)) if spec.value == "path" else ref.value
    return SecretRef(kind=ref.kind, value=value, place=scope.place(path))


def with_secrets(scope: Scope, options: Mapping[str, Any], path: KeyPath, vocabulary: Vocabulary) -> Mapping[str, Any]:
    """The fields of a plugin, which stand below ``path``."""
    found = dict(options)
    for key, value in options.items():
        if isinstance(value, SecretRef):
            found[key] = secret(scope, value, (*path, key), vocabulary)
        elif isinstance(value, Path):
            found[key] = Path(scope.file(str(value), (*path, key)))
        elif isinstance(value, Mapping):
            found[key] = with_secrets(scope, value, (*path, key), vocabulary)
    return found
