"""Tunnels, expectations, and the variables that tunnels give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from orchestra.diagnostics import Code, KeyPath
from orchestra.loading.building.scope import Scope
from orchestra.loading.building.secrets import with_secrets
from orchestra.loading.report import did_you_mean, quoted
from orchestra.loading.shapes import tunnels as shapes
from orchestra.loading.shapes.plugged import Check
from orchestra.model.address import AddressError, Endpoint, parse_address, parse_ip
from orchestra.model.topology import CheckRef, Expectation, Target, Tunnel
from orchestra.plugin.vocabulary import KindSpec, Vocabulary

NO_CHECK = "none"


def build_tunnels(scope: Scope, targets: dict[str, Target], vocabulary: Vocabulary) -> dict[str, Tunnel]:
    """The tunnels of the file; without `tunnels:` one for each target. Those that lead nowhere are reported only."""
    if "tunnels" in scope.draft.root.items:
        shapes_ = scope.draft.tunnels
        built = [_tunnel(scope, name, shape, ("tunnels", name), vocabulary) for name, shape in shapes_.items()]
    else:
        built = list(_implicit(scope, targets, vocabulary))
    check_variables(scope, built)
    return {tunnel.name: tunnel for tunnel in built if _leads_somewhere(tunnel, targets, vocabulary)}


def _leads_somewhere(tunnel: Tunnel, targets: dict[str, Target], vocabulary: Vocabulary) -> bool:
    if tunnel.to is not None:
        return tunnel.to in targets
    return vocabulary.kinds.get(tunnel.kind, KindSpec(name=tunnel.kind)).to != "required"


def _implicit(scope: Scope, targets: dict[str, Target], vocabulary: Vocabulary) -> Iterator[Tunnel]:
    shape = scope.draft.implicit or shapes.Tunnel()
    for name, target in targets.items():
        own = shape.model_copy(update={"to": shape.to or name})
        tunnel = _tunnel(scope, name, own, ("defaults", "tunnels"), vocabulary)
        yield replace(tunnel, implicit=True, place=target.place)


def _tunnel(scope: Scope, name: str, shape: shapes.Tunnel, path: KeyPath, vocabulary: Vocabulary) -> Tunnel:
    kind = _kind(scope, name, shape, vocabulary)
    if kind.exit == "required" and shape.exit is None:
        scope.error(Code.MISSING_KEY, f"a tunnel of kind {kind.name} needs `exit`, the host that dials", path, key=True)
    given = {key: getattr(shape, key) for key in ("hold", "dial_timeout") if getattr(shape, key) is not None}
    return Tunnel(
        name=name,
        kind=kind.name,
        to=_target(scope, name, shape, kind, path),
        from_=_user(scope, shape, path),
        at=_host(scope, shape.at, (*path, "at")),
        by=_holder(scope, shape, path),
        exit=_host(scope, shape.exit, (*path, "exit")),
        listen=shape.listen,
        family=shape.family,
        via=scope.known_hosts(shape.via, (*path, "via")),
        avoid=scope.known_hosts(shape.avoid, (*path, "avoid")),
        failover=shape.failover,
        standby=shape.standby,
        check=_check(scope, shape.check, kind.name, (*path, "check"), vocabulary),
        optional=shape.optional,
        env=shape.env,
        profiles=shape.profiles,
        options=with_secrets(scope, shape.options, (*path, kind.name), vocabulary),
        place=scope.place(path),
        **given,
    )


def _kind(scope: Scope, name: str, shape: shapes.Tunnel, vocabulary: Vocabulary) -> KindSpec:
    """The tunnel's kind; left out, it is the protocol of its target, where there is such a kind."""
    kind = shape.kind
    if "kind" not in shape.model_fields_set:
        if scope.stands(("tunnels", name, "kind")):  # an unknown one, which is said already
            return KindSpec(name=kind, to="optional")
        target = scope.draft.targets.get(shape.to or name)
        kind = target.protocol if target is not None and target.protocol in vocabulary.kinds else kind
    return vocabulary.kinds.get(kind, KindSpec(name=kind))


def _target(scope: Scope, name: str, shape: shapes.Tunnel, kind: KindSpec, path: KeyPath) -> str | None:
    if shape.to is not None:
        return shape.to if scope.known("target", shape.to, scope.targets, (*path, "to")) else None
    if kind.to != "no" and name in scope.targets and (kind.to == "required" or shape.exit is None):
        return name
    if kind.to == "required" and not scope.incomplete and name not in scope.draft.lost:
        hint = did_you_mean(name, scope.targets) if scope.targets else "declare it under `targets`"
        scope.error(
            Code.MISSING_KEY, f"the tunnel has no `to`, and there is no target {quoted(name)}", path, hint, key=True
        )
    return None


def _user(scope: Scope, shape: shapes.Tunnel, path: KeyPath) -> str | None:
    if shape.from_ is None:
        return None
    known = scope.known("host or network", shape.from_, scope.users | scope.networks, (*path, "from"))
    return shape.from_ if known else None


def _host(scope: Scope, name: str | None, path: KeyPath) -> str | None:
    return name if name is not None and scope.host(name, path, here=True) else None


def _holder(scope: Scope, shape: shapes.Tunnel, path: KeyPath) -> str | None:
    """``by`` is a client."""
    name = shape.by
    if name is None or not scope.host(name, (*path, "by"), here=True):
        return None
    if scope.clients and name not in scope.clients:
        scope.error(
            Code.BAD_VALUE,
            f"{quoted(name)} is no client, and only a client holds tunnels",
            (*path, "by"),
            did_you_mean(name, scope.clients),
        )
        return None
    return name


def _check(scope: Scope, shape: Check | None, kind: str, path: KeyPath, vocabulary: Vocabulary) -> CheckRef:
    """Left out: the kind's own check, else the one dial, where it can prove that kind."""
    if shape is None:
        own = vocabulary.checks.get(kind)
        if own is not None and kind in own.kinds:
            return CheckRef(type=kind)
        plain = vocabulary.checks.get("tcp")
        proves = kind in plain.kinds if plain is not None else kind == "tcp"
        return CheckRef() if proves else CheckRef(type=NO_CHECK)
    spec = vocabulary.checks.get(shape.type)
    if spec is not None and kind not in spec.kinds:
        scope.error(
            Code.KIND_CANNOT,
            f"the check {spec.name!r} cannot prove a tunnel of kind {kind}",
            path,
            "write `check: none`",
        )
    options = with_secrets(scope, shape.options, path, vocabulary)
    return CheckRef(
        type=shape.type,
        every=shape.every,
        timeout=shape.timeout,
        rise=shape.rise,
        fall=shape.fall,
        options=options,
        place=scope.place(path),
    )


def check_variables(scope: Scope, tunnels: Iterable[Tunnel]) -> None:
    """Reports DUPLICATE_VARIABLE: two tunnels that give one variable."""
    owners: dict[str, Tunnel] = {}
    for tunnel in tunnels:
        prefix = variable_prefix(tunnel.name)
        names = [*(prefix + end for end in ("HOST", "PORT", "ADDRESS")), *tunnel.env]
        clash = next((name for name in names if name in owners), None)
        if clash is not None:
            path: KeyPath = ("tunnels", tunnel.name, "env", clash) if clash in tunnel.env else ("tunnels", tunnel.name)
            if tunnel.implicit:
                path = ("targets", tunnel.name)
            other = owners[clash]
            scope.error(
                Code.DUPLICATE_VARIABLE,
                f"the tunnels {quoted(other.name)} ({other.place}) and {quoted(tunnel.name)} both give {clash}",
                path,
                "rename one of them",
                key=True,
            )
        owners |= {name: tunnel for name in names if name not in owners}


def variable_prefix(name: str) -> str:
    """``ORCHESTRA_<NAME>_``: capitals, and ``_`` for what is neither letter nor digit."""
    return f"ORCHESTRA_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_"


def build_expectations(scope: Scope) -> tuple[Expectation, ...]:
    """The expectations whose names are known, in order."""
    found = []
    for index, shape in enumerate(scope.draft.expect):
        path = ("expect", index)
        if shape is None:
            continue
        starts = scope.known("host or network", shape.from_, scope.users | scope.networks, (*path, "from"))
        via = scope.known_hosts(shape.via, (*path, "via"))
        if starts and _reachable_name(scope, shape.to, (*path, "to")) and via == shape.via:
            found.append(
                Expectation(
                    from_=shape.from_,
                    to=shape.to,
                    verdict=shape.verdict,
                    via=via,
                    direct=shape.direct,
                    place=scope.place(path),
                )
            )
    return tuple(found)


def _reachable_name(scope: Scope, text: str, path: KeyPath) -> bool:
    """Whether ``to`` is a target, a host, an address, or host:port of one of them or of a name that DNS may know."""
    names = scope.hosts | scope.targets
    if text in names:
        return True
    try:
        address = parse_address(text, port_required=False)
    except AddressError as error:
        scope.error(Code.BAD_ADDRESS, str(error), path, error.suggestion)
        return False
    host = address.host if isinstance(address, Endpoint) else None
    if host is None or (isinstance(address, Endpoint) and address.port is None and parse_ip(host) is None):
        return scope.known("target or host", text, names, path)
    return parse_ip(host) is not None or "." in host or scope.known("host", host, names, path)
