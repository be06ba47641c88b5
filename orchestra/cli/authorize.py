"""``orchestra authorize``: the least that each server has to permit."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.completion import names
from orchestra.cli.console import Console
from orchestra.cli.errors import report
from orchestra.cli.exits import exit_of_plan
from orchestra.cli.options import Selection, Source
from orchestra.cli.reading import read_plan, split_file
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.cli.reading import Planned
    from orchestra.planning.authorize import Needs
    from orchestra.render.authorize_text import Limits


class Form(StrEnum):
    """Where the lines are for."""

    AUTHORIZED_KEYS = "authorized-keys"
    SSHD = "sshd"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """For which servers, in which form, with which further limits."""

    servers: Annotated[
        list[str],
        typer.Argument(
            metavar="SERVER", help="Only these servers.", show_default=False, autocompletion=names("servers")
        ),
    ] = field(default_factory=list)
    form: Annotated[Form, typer.Option("-o", "--output", help="A key's line, or a Match block.")] = Form.AUTHORIZED_KEYS
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="The public key; default: that of the server's `identity`."),
    ] = None
    expiry: Annotated[
        str | None, typer.Option("--expiry-time", metavar="TIME", help="As in 2026-12-31, 2026-12-31T18:00 or …Z.")
    ] = None
    sources: Annotated[
        list[str],
        typer.Option(
            "--from", metavar="ADDRESS", help="Addresses or CIDRs that here dials from; repeatable.", show_default=False
        ),
    ] = field(default_factory=list)


def authorize(console: Console, source: Source, wanted: Wanted, selection: Selection) -> int:
    """Show the least that each server has to permit for the plan, and nothing more.

    As lines for authorized_keys or as Match blocks for sshd_config, with the texts that will be sent: sshd compares
    them letter by letter. Nothing is opened, nothing is written.
    """
    from orchestra.planning.authorize import needs_of
    from orchestra.render.authorize_text import authorized_keys, match_block

    file, servers = split_file([*([source.file] if source.file else []), *wanted.servers])
    source = replace(source, file=file)
    planned = read_plan(source, selection)
    read, plan = planned.read, planned.plan
    needs = needs_of(plan, read.topology, read.plugins.vocabulary)
    chosen = [
        (each, _key(planned, each, wanted.key), _limits(console, planned, each, wanted))
        for each in _select(console, planned, needs, servers)
    ]
    match wanted.form:
        case Form.JSON:
            from orchestra.render.authorize_json import authorize_json

            console.json(authorize_json(plan, chosen))
        case Form.SSHD:
            console.data("\n\n".join(match_block(each, limits) for each, _, limits in chosen))
            _say_unknown(console, [each.server for each, _, _ in chosen if each.user is None], "account", "ssh.user")
        case _:
            console.data("\n".join(authorized_keys(*each) for each in chosen))
            _say_unknown(console, [each.server for each, key, _ in chosen if key is None], "public key", "--key FILE")
    report(tuple(d for d in plan.diagnostics if d.severity == "error"), read.sources, console, apart=True)
    return exit_of_plan(plan)


def _select(console: Console, planned: Planned, needs: tuple[Needs, ...], servers: tuple[str, ...]) -> Iterator[Needs]:
    """Those that are asked for, and a word about those that need nothing."""
    known = {each.server: each for each in needs}
    hosts = planned.read.topology.hosts
    for name in dict.fromkeys(servers):
        host = hosts.get(name)
        if host is None or host.server is None:
            from orchestra.loading.report import did_you_mean

            near = did_you_mean(name, [each for each, host in hosts.items() if host.server is not None])
            raise UsageError(f"{planned.read.topology.file} has no server {name!r}" + (f": {near}" if near else ""))
        if name not in known:
            ways = "nothing of the plan leads there" if host.server.transport.type == "ssh" else "no sshd lets us in"
            console.say(f"{name} has to permit nothing: {ways}")
    yield from (each for each in needs if not servers or each.server in servers)


def _key(planned: Planned, needs: Needs, named: Path | None) -> str | None:
    """The public key that logs in there: the one that is named, else the one beside an identity or a certificate."""
    from orchestra.render.authorize_text import public_key

    if named is not None:
        try:
            found = public_key(named.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise UsageError(f"{named} cannot be read: {error.strerror}") from None
        if found is None:
            raise UsageError(f"{named} holds no public key; it is the file that ends in .pub")
        return found
    host = planned.read.topology.hosts[needs.server]
    settings = host.server.ssh if host.server else None
    if settings is None:
        return None
    beside = [f"{path}.pub" for path in settings.identity]
    beside += [re.sub(r"-cert\.pub\Z", ".pub", path) for path in settings.certificate]
    texts = (Path(path).read_text(encoding="utf-8", errors="replace") for path in beside if Path(path).is_file())
    return next((key for text in texts if (key := public_key(text))), None)


def _limits(console: Console, planned: Planned, needs: Needs, wanted: Wanted) -> Limits:
    """`--from` is about here: a server that is dialed from another one sees other addresses."""
    from orchestra.render.authorize_text import Limits

    if wanted.expiry is not None and wanted.form is Form.SSHD:
        raise UsageError("sshd_config has no expiry: use -o authorized-keys, or take the block out in time")
    sources = tuple(_network(text) for text in wanted.sources)
    others = sorted(needs.dialed_by - {planned.plan.client})
    if sources and others:
        console.say(f"{needs.server} is dialed from {', '.join(others)}, so --from does not limit it")
        sources = ()
    return Limits(sources=sources, expiry=expiry_time(wanted.expiry) if wanted.expiry is not None else None)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError as error:
        raise UsageError(f"--from {text!r} is no address and no CIDR: {error}") from None


_TIMES = ("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S")


def expiry_time(text: str) -> str:
    """As authorized_keys(5) has it: ``YYYYMMDD[HHMM[SS]][Z]``, the server's own time without Z. Raises UsageError."""
    digits, zone = re.sub(r"[-:T ]", "", text.removesuffix("Z")), "Z" if text.endswith("Z") else ""
    for form in _TIMES:
        try:
            if datetime.strptime(digits, form).strftime(form) == digits:  # noqa: DTZ007 - the server's own zone
                return digits + zone
        except ValueError:
            continue
    raise UsageError(f"--expiry-time {text!r} is no time; write 2026-12-31 or 2026-12-31T18:00, and Z for UTC")


def _say_unknown(console: Console, servers: list[str], what: str, remedy: str) -> None:
    if servers:
        console.say(f"no {what} is known for {', '.join(servers)}: put it in its place, or say {remedy}")
