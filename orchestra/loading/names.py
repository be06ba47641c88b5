"""What the entries of a topology are called, without looking into them: for completion, while somebody types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestra.loading.files import Files
from orchestra.loading.nodes import Branch, Scalar, Series
from orchestra.loading.report import Report


class Names:
    """Of files as they are, whole or not; what cannot be read has none, and standard input is not read."""

    def __init__(self, files: Sequence[str], environ: Mapping[str, str]) -> None:
        self._root = Files(environ, Report(), stdin="").read_all(files)

    def of(self, section: str) -> tuple[str, ...]:
        """Those of ``servers``, ``targets``, …; without ``tunnels`` every target has one."""
        items = self._root.items if self._root is not None else {}
        if section == "tunnels" and section not in items:
            section = "targets"
        entries = items.get(section)
        return tuple(entries.items) if isinstance(entries, Branch) else ()

    def profiles(self) -> tuple[str, ...]:
        """Those that tunnels have."""
        return tuple(sorted(set(self._profiles())))

    def _profiles(self) -> Iterator[str]:
        tunnels = self._root.items.get("tunnels") if self._root is not None else None
        for entry in tunnels.items.values() if isinstance(tunnels, Branch) else ():
            listed = entry.items.get("profiles") if isinstance(entry, Branch) else None
            each = listed.items if isinstance(listed, Series) else [listed]
            yield from (item.text for item in each if isinstance(item, Scalar))
