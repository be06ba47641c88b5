"""How orchestra grows: hook specifications, the plugin manager, and the vocabulary that plugins add to the file."""

from orchestra.plugin.hookspecs import hookimpl

__all__ = ["hookimpl"]
