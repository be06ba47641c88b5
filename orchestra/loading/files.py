"""From names of files to one tree: reading, `include`, and several files over one another."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestra.diagnostics import Code
from orchestra.loading.finding import STDIN, STDIN_NAME
from orchestra.loading.nodes import Branch, Node, Scalar, Series, Spot, merge
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report, Unreadable, quoted

MAX_BYTES = 16 * 1024 * 1024 - 1
"""100,000 hosts, written out, are about half of it."""
MAX_FILES = 100


class Files:
    """Reads files, each once."""

    def __init__(self, environ: Mapping[str, str], report: Report, stdin: str | bytes | None) -> None:
        self.environ = environ
        self.report = report
        self.stdin = stdin
        self.sources: dict[str, str] = {}
        self.dropped: set[int] = set()
        self.incomplete = False
        """Whether a file could not be read, so that names may be missing through no fault of those who use them."""
        self._read: dict[str, Branch | None] = {}

    def read_all(self, names: Sequence[str]) -> Branch | None:
        """All files merged, later ones over earlier ones; None when there is nothing at all."""
        merged: Node | None = None
        for name in names:
            merged = merge(merged, self._file(STDIN_NAME if name == STDIN else name, None, ()))
        return merged if isinstance(merged, Branch) else None

    def _file(self, name: str, named_at: Spot | None, chain: tuple[str, ...]) -> Branch | None:
        """One file over what it includes. ``chain``: the files that include it, outermost first."""
        root = self._root(name, named_at)
        if root is None:
            return None
        below: Node | None = None
        for text, spot in self._includes(root):
            other = text if STDIN_NAME in (name, text) else str(Path(name).parent / text)
            if _same(other, (*chain, name)):
                loop = " → ".join((*chain, name, other))
                self.report.error(
                    Code.INCLUDE_LOOP,
                    f"the files include one another: {loop}",
                    spot,
                    ("include",),
                    "remove one of them",
                )
            else:
                below = merge(below, self._file(other, spot, (*chain, name)))
        merged = merge(below, root)
        return merged if isinstance(merged, Branch) else root

    def _includes(self, root: Branch) -> list[tuple[str, Spot]]:
        node = root.items.get("include")
        if node is None or id(node) in self.dropped:
            return []
        items = [item for item in (node.items if isinstance(node, Series) else [node]) if id(item) not in self.dropped]
        for item in items:
            if not (isinstance(item, Scalar) and item.text):
                self.report.error(Code.BAD_TYPE, "the name of a file is needed here", item.spot, ("include",))
                self.dropped.add(id(item))
        return [(item.text, item.spot) for item in items if isinstance(item, Scalar) and item.text]

    def _root(self, name: str, named_at: Spot | None) -> Branch | None:
        """The top-level map of one file, read once; problems are reported once too."""
        if name in self._read:
            return self._read[name]
        self._read[name] = None
        try:
            if len(self._read) > MAX_FILES:
                raise Unreadable(Code.YAML_LIMIT, f"more than {MAX_FILES} files", named_at)
            text = self._text(name, named_at)
            self.sources[name] = text
            node = read_yaml(name, text, environ=self.environ, report=self.report, dropped=self.dropped)
            self._read[name] = _top_level(name, node)
        except Unreadable as problem:
            self.incomplete = True
            self.report.error(problem.code, problem.message, problem.spot, suggestion=problem.suggestion)
        return self._read[name]

    def _text(self, name: str, named_at: Spot | None) -> str:
        data = self._standard_input() if name == STDIN_NAME else _read_bytes(name, named_at)
        if len(data) > MAX_BYTES:
            raise Unreadable(
                Code.FILE_TOO_LARGE,
                f"{name} has more than {MAX_BYTES:,} bytes",
                named_at or (name, 1, 1),
                "split it with `include`",
            )
        return _decode(name, data)

    def _standard_input(self) -> bytes:
        if isinstance(self.stdin, str):
            return self.stdin.encode("utf-8", "surrogatepass")
        return self.stdin if self.stdin is not None else sys.stdin.buffer.read(MAX_BYTES + 1)


def _same(name: str, chain: tuple[str, ...]) -> bool:
    try:
        return os.path.realpath(name) in map(os.path.realpath, chain)
    except ValueError:  # a name that no file can have
        return False


def _read_bytes(name: str, named_at: Spot | None) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = f"there is no file {name}"
    except (OSError, ValueError) as error:
        message = f"{name} cannot be read: {getattr(error, 'strerror', None) or error}"
    hint = None if named_at else "`orchestra init` writes a first one"
    raise Unreadable(Code.NO_SUCH_FILE, message, named_at, hint)


def _decode(name: str, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(Code.YAML_SYNTAX, "the file is UTF-16", (name, 1, 1), "save it as UTF-8")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = f"the file is not UTF-8 text: byte 0x{data[error.start]:02x}"
        raise Unreadable(Code.YAML_SYNTAX, message, (name, line, column), "save it as UTF-8") from None


def _top_level(name: str, node: Node | None) -> Branch:
    if isinstance(node, Branch):
        return node
    if node is None or (isinstance(node, Scalar) and node.plain and not node.text):
        raise Unreadable(
            Code.BAD_TYPE, "the file is empty", (name, 1, 1), "`orchestra init` writes a commented first one"
        )
    what = "a list" if isinstance(node, Series) else f"text ({quoted(node.text, 30)})"
    raise Unreadable(
        Code.BAD_TYPE,
        f"the file holds {what}; a topology is a map with keys such as `servers` and `targets`",
        node.spot,
    )
