"""Lists of algorithms as ssh_config(5) writes them: whole, or as a change of the default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestra.loading.sshconfig.patterns import in_list


def assemble(spec: str | None, default: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """The names that a list means: ``+`` adds to the default, ``^`` puts in front, ``-`` takes away; wildcards count.

    ``known`` are all names that there are; others are left out.
    """
    everything = tuple(known)
    if spec is None:
        return tuple(default)
    sign, names = (spec[0], spec[1:]) if spec[:1] in ("+", "-", "^") else ("", spec)
    if sign == "-":
        return tuple(name for name in default if not in_list(names, name))
    chosen = [name for pattern in names.split(",") for name in everything if in_list(pattern, name)]
    whole = {"+": (*default, *chosen), "^": (*chosen, *default)}.get(sign, chosen)
    return tuple(dict.fromkeys(whole))
