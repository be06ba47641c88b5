"""The file's own tests: `expect` entries, judged as `orchestra explain` would, and with its explanation."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic, in_file_order
from orchestra.errors import UsageError
from orchestra.model.address import SSH_PORT
from orchestra.model.frozen import dataclass
from orchestra.planning.client import choose_client
from orchestra.planning.explaining.explain import any_client, explain_on
from orchestra.planning.explaining.explanation import in_short
from orchestra.planning.explaining.question import Ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.model.topology import Expectation, Topology
    from orchestra.planning.explaining.explanation import Explanation
    from orchestra.plugin.vocabulary import Vocabulary

COMMAND = ("orchestra", "explain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """An expectation that does not hold, and what holds in its place (None: it cannot be asked)."""

    diagnostic: Diagnostic
    explanation: Explanation | None = None


def check_expectations(
    topology: Topology, *, client: str | None = None, vocabulary: Vocabulary, command: Sequence[str] | None = None
) -> tuple[Diagnostic, ...]:
    """EXPECT_FAILED for every entry of `expect` that does not hold; see :func:`unmet_expectations`."""
    unmet = unmet_expectations(topology, client=client, vocabulary=vocabulary, command=command)
    return in_file_order(each.diagnostic for each in unmet)


def unmet_expectations(
    topology: Topology, *, client: str | None = None, vocabulary: Vocabulary, command: Sequence[str] | None = None
) -> tuple[Unmet, ...]:
    """The entries of `expect` that do not hold, in the order of the file.

    A host in `from` is taken as here; a network as one unnamed host of it, which dials by itself or starts from here.
    ``command``: how `orchestra explain` was to be called for this topology, for the hints.
    """
    here = choose_client(topology, client) if client else any_client(topology, None)
    ground = Ground(topology, here, vocabulary)
    asking = tuple(command or (*COMMAND, topology.file))
    found = (_check(ground, asking, each) for each in topology.expectations)
    return tuple(each for each in found if each is not None)


def _check(ground: Ground, asking: tuple[str, ...], expected: Expectation) -> Unmet | None:
    try:
        to = _with_port(ground, expected)
        strangers = [name for name in expected.via if name not in ground.seen_from(expected.from_).servers]
        if strangers and expected.verdict == "unreachable":
            return None
        explained = explain_on(ground, expected.from_, to, via=expected.via, direct=expected.direct)
    except UsageError as error:
        return Unmet(diagnostic=_failed(expected, str(error), "change what is expected"))
    if explained.verdict == expected.verdict:
        return None
    more = [*(word for name in expected.via for word in ("--via", name)), *(["--direct"] if expected.direct else [])]
    hint = f"`{shlex.join((*asking, expected.from_, to, *more))}` shows the whole path"
    if explained.offers:
        hint = f"{explained.offers[0].text}, which needs no change; {hint}"
    return Unmet(diagnostic=_failed(expected, in_short(explained), hint), explanation=explained)


def _with_port(ground: Ground, expected: Expectation) -> str:
    """A host without a port is meant at the port of SSH, also when the file gives it no server."""
    host = ground.topology.hosts.get(expected.to)
    bare = host is not None and host.server is None and expected.to not in ground.topology.targets
    return f"{expected.to}:{SSH_PORT}" if bare else expected.to


def _failed(expected: Expectation, text: str, hint: str) -> Diagnostic:
    how = " by one dial" if expected.direct else f" via {', '.join(expected.via)}" if expected.via else ""
    return Diagnostic(
        code=Code.EXPECT_FAILED,
        severity="error",
        message=f"expected {expected.to} to be {expected.verdict} from {expected.from_}{how}: {text}",
        place=expected.place,
        suggestion=hint,
    )
