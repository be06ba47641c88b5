"""The forms of a log."""

from __future__ import annotations

from enum import StrEnum


class LogFormat(StrEnum):
    """How a log is written."""

    TEXT = "text"
    JSON = "json"
