"""Which labs there are. Nothing else, so that the command line can name them without loading one."""

from enum import StrEnum


class LabKind(StrEnum):
    """Where the topology's other hosts run, when they are not real."""

    NETNS = "netns"
    EMBEDDED = "embedded"
