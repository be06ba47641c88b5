"""Dials: the first candidate that networks, firewalls and sshd all pass, or what stands against the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.graph import Judgement, believed, code_of, explain, judge, reasons, seen_from
from orchestra.model.address import Endpoint, UnixPath, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Dial, Missing, Reason
from orchestra.planning.candidates import Candidate, candidates
from orchestra.planning.problems import STRUCTURAL, Problem, own_only
from orchestra.planning.sshd import commands_needed, sshd_of

if TYPE_CHECKING:
    from orchestra.graph import Dialer, Step
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service
    from orchestra.planning.sshd import Sshd


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One dial and everything that stands against it."""

    dialer: Dialer
    service: Service
    text: str | None = None
    port: int | None = None
    means: str | None = None
    judgement: Judgement | None = None
    transport: str | None = None
    further: tuple[Problem, ...] = ()
    """What stands against it beside the judgement."""

    @property
    def passes(self) -> bool:
        """Whether nothing stands against it."""
        return not self.further and (self.judgement is None or self.judgement.passes)

    @property
    def weight(self) -> int:
        """What stands against it, as one number: permissions count one, what none can change counts a thousand."""
        denials = self.judgement.denials if self.judgement else ()
        against = sum(1 if step.permission else STRUCTURAL for step in denials)
        return against + sum(problem.weight for problem in self.further)

    @property
    def firewalls(self) -> tuple[str, ...]:
        """The firewalls on its way."""
        return self.judgement.firewalls if self.judgement else ()


def attempt(context: Context, host: str, service: Service) -> Attempt:
    """What a host dials to reach a service: the first candidate that passes, else the one with the least against it."""
    key, known = (host, service), context.answers.attempts
    made = known.get(key)
    if made is None:
        made = known[key] = _attempt(context, context.dialer(host), service)
    return made


def attempt_by(context: Context, dialer: Dialer, service: Service) -> Attempt:
    """The same for one who dials by itself, with no sshd in between: any host, or an unnamed one of a network."""
    return _attempt(context, dialer, service, bare=True)


def _attempt(context: Context, dialer: Dialer, service: Service, *, bare: bool = False) -> Attempt:
    barred = _behind(context, dialer, service)
    sshd = None
    if not bare and dialer.host is not None and dialer.host != context.here:
        sshd = sshd_of(context.host(dialer.host))
        barred += _by_server(context, dialer.host, service, sshd)
    if service.path is not None:
        return _unix(context, dialer, service, barred)
    best: Attempt | None = None
    for candidate in candidates(context.world, dialer, service):
        limits = sshd.dialing_text(service, candidate.text, candidate.port) if sshd and not service.by_helper else ()
        tried = _try(context, dialer, service, candidate, (*barred, *limits))
        if tried.passes:
            return tried
        if best is None or tried.weight < best.weight:
            best = tried
    if best is not None:
        return best
    return Attempt(
        dialer=dialer, service=service, means=service.host, further=(*barred, _no_address(context, dialer, service))
    )


def _by_server(context: Context, host: str, service: Service, sshd: Sshd | None) -> tuple[Problem, ...]:
    """What the dialing server itself does not do."""
    if sshd is None:
        text = f"{host} has no SSH server, so nothing can be dialed from it"
        hint = f"give {host} an `ssh:` section if it runs one"
        return (
            Problem(code=Code.NOT_AN_SSH_SERVER, text=text, at=host, place=context.host(host).place, suggestion=hint),
        )
    spec = context.transport(host)
    if service.by_helper:
        return commands_needed(context, host, f"sends to {service.name} by UDP")
    if not (spec.unix if service.path else spec.connect):
        text = f"sessions by {spec.name} to {host} cannot dial {'unix sockets' if service.path else 'addresses'}"
        return (Problem(code=Code.TRANSPORT_CANNOT, text=text, at=host, place=context.host(host).place),)
    return tuple(sshd.dialing(service))


def _behind(context: Context, dialer: Dialer, service: Service) -> tuple[Problem, ...]:
    if not service.behind or dialer.host in service.behind or context.world.same_machine(dialer.host, service.host):
        return ()
    text = f"{service.name} is behind {' and '.join(service.behind)}: {dialer} does not dial it"
    return (Problem(code=Code.NO_ROUTE_DECLARED, text=text, at=str(dialer), place=service.place, hopeless=True),)


def _unix(context: Context, dialer: Dialer, service: Service, barred: tuple[Problem, ...]) -> Attempt:
    problems = barred
    if not context.world.same_machine(dialer.host, service.host):
        problems += (_own_only(dialer, service),)
    return Attempt(dialer=dialer, service=service, means=dialer.host, further=problems)


def _try(
    context: Context, dialer: Dialer, service: Service, candidate: Candidate, barred: tuple[Problem, ...]
) -> Attempt:
    verdict = _verdict(context, dialer, service, candidate)
    further = (
        *barred,
        *_someone_else(context, service, candidate, verdict),
        *_untrusted(context, dialer, service, verdict),
    )
    hosts = context.world.hosts
    means = verdict.means if verdict.means in hosts else None
    # a server without networks answers where its `ssh.host` says, also when that is a port published on loopback
    said = candidate.text == service.fallback and not context.world.networks_of(service.host)
    if means is None or said or context.world.same_machine(means, service.host):
        means = service.host if service.host in hosts else means
    return Attempt(
        dialer=dialer,
        service=service,
        text=candidate.text,
        port=candidate.port,
        means=means,
        judgement=verdict,
        further=further,
    )


def _verdict(context: Context, dialer: Dialer, service: Service, candidate: Candidate) -> Judgement:
    verdict = judge(context.world, dialer, candidate.text, candidate.port, service.protocol, meant=candidate.meant)
    fallback = service.behind and dialer.host in service.behind
    if candidate.text == service.fallback and dialer.host in (service.trusted or ()):
        fallback = True
    if fallback and not verdict.passes and not seen_from(context.world, dialer, service.host):
        return believed(dialer, candidate.text, candidate.port, service.protocol, candidate.meant)
    return verdict


def problems_of(context: Context, made: Attempt) -> tuple[Problem, ...]:
    """Everything that stands against an attempt."""
    if made.judgement is None:
        return made.further
    return (*made.further, *_denials(context, made.judgement))


def _denials(context: Context, verdict: Judgement) -> tuple[Problem, ...]:
    problems = []
    for step in verdict.denials:
        said, *hints = explain(context.world, verdict, step)
        code = code_of(context.world, step)
        missing = missing_rule(context, step)
        hint = "; ".join(_with_place(each) for each in hints)
        problems.append(
            Problem(code=code, text=said.text, at=step.at, place=step.place, missing=missing, suggestion=hint or None)
        )
    return tuple(problems)


def _with_place(reason: Reason) -> str:
    return f"{reason.text} ({reason.place})" if reason.place else reason.text


def missing_rule(context: Context, step: Step) -> Missing | None:
    """The rule that a filter would need to let it pass; None where no rule would do.

    A host that the file does not declare is one of its network to whoever writes the rule.
    """
    if not step.permission or step.passes or step.flow is None:
        return None
    source, destination = step.flow.source, step.flow.destination
    named = source.host if source.host in context.topology.hosts else None
    return Missing(
        kind="firewall",
        at=step.at,
        from_=named or (str(source.address) if source.address else source.network) or "any",
        to=destination.host if destination.host in context.topology.hosts else None,
        address=str(destination.address) if destination.address else None,
        port=step.flow.port,
        protocol=step.flow.protocol,
        setting="inbound" if step.kind == "inbound" else "rules",
    )


def _someone_else(context: Context, service: Service, candidate: Candidate, verdict: Judgement) -> tuple[Problem, ...]:
    """The address has to mean the machine of the service to this dialer, also once every filter lets it pass."""
    world = context.world
    if not all(step.permission for step in verdict.denials) or not world.networks_of(candidate.meant):
        return ()
    if verdict.means is None:  # believed to be meant, unless the file says that it has this address elsewhere
        fitting = verdict.address not in world.addresses.get(candidate.meant, ())
    else:
        fitting = world.same_machine(verdict.means, candidate.meant)
        if fitting and service.one_address and verdict.address is not None and candidate.meant == service.host:
            fitting = verdict.address == parse_ip(service.text or "")
    if fitting:
        return ()
    means = verdict.means or "a host that nobody declared"
    text = f"{candidate.text} dialed by {verdict.dialer} is {means}, not {candidate.meant}"
    return (Problem(code=Code.NO_ADDRESS_AT_HOP, text=text, at=str(verdict.dialer), place=service.place),)


def _untrusted(context: Context, dialer: Dialer, service: Service, verdict: Judgement) -> tuple[Problem, ...]:
    """What no network leads to is dialed only by those whom the file makes responsible for it."""
    steps = verdict.steps
    if not verdict.assumed or any(step.kind in ("network", "own", "stuck") for step in steps):
        return ()
    if service.trusted is None:
        text = f"no network of the file leads to {service.name}, and it is not said which server dials it"
        hint = "say which: `connect --exit SERVER`, or `explain` it from there"
        if service.host in context.world.hosts:
            hint = f"write `exit:` in the tunnel, or `behind:` in {service.name}"
        return (Problem(code=Code.AMBIGUOUS_EXIT, text=text, at=str(dialer), place=service.place, suggestion=hint),)
    if dialer.host in service.trusted or any(context.world.same_machine(dialer.host, each) for each in service.trusted):
        return ()
    text = f"{service.name} is dialed by {' or '.join(service.trusted)}, not by {dialer}: no network leads to it"
    return (Problem(code=Code.NO_ROUTE_DECLARED, text=text, at=str(dialer), place=service.place, hopeless=True),)


def _own_only(dialer: Dialer, service: Service) -> Problem:
    where = UnixPath(service.path) if service.path else Endpoint(service.text, service.port)
    return Problem(
        code=Code.LOOPBACK_ELSEWHERE,
        text=own_only(service.name, where, service.host, dialer),
        at=str(dialer),
        place=service.place,
        suggestion=f"give {service.host} an SSH server, or let the service listen where others can dial it",
        hopeless=True,
    )


def _no_address(context: Context, dialer: Dialer, service: Service) -> Problem:
    if service.on_loopback:
        return _own_only(dialer, service)
    unreached = context.world.networks_of(service.host)
    if unreached and not seen_from(context.world, dialer, service.host):
        judged = judge(context.world, dialer, service.host, service.port, service.protocol, meant=service.host)
        step = next((each for each in judged.steps if not each.passes), None)
        if step is not None:
            return Problem(code=step.code or Code.NO_ROUTE_DECLARED, text=step.detail, at=step.at, place=service.place)
    text = f"{service.host} has no address that {dialer} could dial"
    return Problem(
        code=Code.NO_ADDRESS_AT_HOP,
        text=text,
        at=str(dialer),
        place=service.place,
        suggestion=f"give {service.host} an address on a network, a name, or `ssh: {{host: …}}`",
    )


def as_dial(context: Context, made: Attempt) -> Dial:
    """An attempt as it stands in a plan, with its reasons."""
    said = reasons(context.world, made.judgement) if made.judgement else ()
    told = {reason.text for reason in said}
    further = tuple(
        Reason(text=each.text, passes=False, place=each.place) for each in made.further if each.text not in told
    )
    by = made.dialer.host or str(made.dialer)
    if made.transport is not None:
        return Dial(by=by, transport=made.transport, text=made.service.name, means=made.means, reasons=further)
    if made.service.path is not None:
        return Dial(by=by, path=made.service.path, means=made.means, reasons=further)
    return Dial(
        by=by,
        host=made.text or made.service.text or made.service.fallback or made.service.host,
        port=made.port or made.service.port,
        means=made.means,
        reasons=(*said, *further),
    )
