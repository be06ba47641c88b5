"""The helpers, as texts that are sent over a channel and run there without ever being a file.

A loader that is short enough for a command line reads so many bytes of standard input and runs them. The command says
by its exit status why it did not come to that: see :data:`MISSING` and :data:`BROKEN`.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MISSING, BROKEN = 97, 98
"""Exit status: there is no such interpreter; it could not run what it was sent."""

_DESCRIPTORS = "ulimit -Sn 4096 2>/dev/null"
"""A flow is a descriptor; what most systems permit at first is 1024."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One language. ``text`` gives what is sent, with the nonce and the window in bytes in front of it."""

    name: str
    loader: str
    """How the interpreter is called; ``{size}`` is the length of what is sent."""
    text: Callable[[bytes, int], bytes]

    def command(self, size: int) -> str:
        """What the account's shell is asked to run, whichever shell that is."""
        looked_up = f"command -v {self.name} >/dev/null 2>&1 || exit {MISSING}"
        script = f"{_DESCRIPTORS}; {looked_up}; exec {self.name} {self.loader.format(size=size)}"
        return f"exec /bin/sh -c {shlex.quote(script)}"


def python(nonce: bytes, window: int) -> bytes:
    """:mod:`.wire`, :mod:`.names`, :mod:`.sockets` and :mod:`.far`, without what only people and type checkers read."""
    return _python() + f"\nmain({nonce!r}, {window})\n".encode()


def perl(nonce: bytes, window: int) -> bytes:
    """``helper.pl``."""
    return f'($nonce, $window) = (pack("H*", "{nonce.hex()}"), {window});\n'.encode() + _perl()


TIERS = (
    Tier("python3", '-I -S -c "import sys; exec(sys.stdin.buffer.read({size}))"', python),
    Tier("perl", f'-e "read(STDIN, \\$_, {{size}}); eval; print STDERR \\$@; exit {BROKEN}"', perl),
)
"""The languages that a helper exists in, the better first. Both do everything."""


@cache
def _python() -> bytes:
    parts = [ast.parse(_source(name)) for name in ("wire.py", "names.py", "sockets.py", "far.py")]
    return "\n".join(ast.unparse(_Bare().visit(part)) for part in parts).encode()


@cache
def _perl() -> bytes:
    lines = (line.strip() for line in _source("helper.pl").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#")).encode() + b"\n"


def _source(name: str) -> str:
    return files(__package__ or "").joinpath(name).read_text("utf-8")


class _Bare(ast.NodeTransformer):
    """Takes out docstrings, annotations, and imports of what is in the text itself or for annotations only."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.level or node.module in ("__future__", "typing") else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign | None:
        return None if node.value is None else ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        return None if isinstance(node.value, ast.Name) and node.value.id == "Any" else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node
