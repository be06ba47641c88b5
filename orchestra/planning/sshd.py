"""What the sshd of a server permits, by the `forwarding` of the file and with the words of sshd_config(5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.model.address import WILDCARD, Endpoint, is_loopback
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Missing
from orchestra.planning.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.diagnostics import Place
    from orchestra.model.address import UnixPath
    from orchestra.model.plan import Bind, Setting
    from orchestra.model.topology import Forwarding, Host
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service


@dataclass(frozen=True, slots=True)
class Sshd:
    """The sshd of one host. Its methods say what it forbids: nothing, when it permits what is asked."""

    host: str
    forwarding: Forwarding
    place: Place | None

    def dialing(self, service: Service) -> Iterator[Problem]:
        """AllowTcpForwarding, or AllowStreamLocalForwarding for a unix socket: whether it dials at all."""
        if service.path is not None and not self.forwarding.unix:
            text = f"the sshd of {self.host} does not forward (`forwarding: {{unix: no}}`)"
            missing = self._dial("unix", service, service.path, service.port)
            yield self._off(text, "AllowStreamLocalForwarding", missing)
        if service.path is None and not self.forwarding.local:
            text = f"the sshd of {self.host} does not forward (`forwarding: {{local: no}}`)"
            yield self._off(text, "AllowTcpForwarding", self._dial("local", service, service.text, service.port))

    def dialing_text(self, service: Service, text: str, port: int) -> Iterator[Problem]:
        """PermitOpen: the text that is sent is compared letter by letter."""
        permitted = self.forwarding.permit_open
        if permitted is None or any(permits(entry, text, port) for entry in permitted):
            return
        address = Endpoint(text, port)
        yield Problem(
            code=Code.PERMITOPEN_MISMATCH,
            text=f"the sshd of {self.host} does not permit {address} (it compares the text){_only(permitted)}",
            at=self.host,
            place=self.place,
            missing=self._dial("permit_open", service, text, port),
            suggestion=f"add {address} to PermitOpen on {self.host}, and to `permit_open` here",
        )

    def running(self, does: str) -> Iterator[Problem]:
        """A shell, without a forced command: whether it runs commands at all."""
        if not self.forwarding.exec:
            text = (
                f"the sshd of {self.host} runs no commands (`forwarding: {{exec: no}}`), and {self.host} {does} by one"
            )
            yield Problem(
                code=Code.FORWARDING_DISABLED,
                text=text,
                at=self.host,
                place=self.place,
                suggestion=f"let the account on {self.host} run commands, and say so here",
            )

    def listening(self, requests: tuple[Bind, ...]) -> Iterator[Problem]:
        """AllowTcpForwarding, GatewayPorts and PermitListen, for what is sent to it."""
        if not requests:
            return
        if not self.forwarding.remote:
            text = f"the sshd of {self.host} opens no listeners (`forwarding: {{remote: no}}`)"
            yield self._off(text, "AllowTcpForwarding", self._bind("remote", requests[0]))
        beyond = [bind for bind in requests if not is_loopback(bind.host)]
        if beyond and self.forwarding.gateway_ports == "no":
            yield self._loopback_only(beyond[0])
        yield from (self._unlisted(bind) for bind in requests if not self._lists(bind))

    def listening_at(self, path: UnixPath) -> Iterator[Problem]:
        """AllowStreamLocalForwarding: whether it opens unix sockets."""
        if not self.forwarding.unix:
            text = f"the sshd of {self.host} does not forward unix sockets (`forwarding: {{unix: no}}`)"
            missing = self._missing("unix", address=str(path), protocol="unix")
            yield self._off(text, "AllowStreamLocalForwarding", missing)

    def _off(self, text: str, keyword: str, missing: Missing) -> Problem:
        return Problem(
            code=Code.FORWARDING_DISABLED,
            text=text,
            at=self.host,
            place=self.place,
            missing=missing,
            suggestion=f"set {keyword} on {self.host}, and say so here",
        )

    def _loopback_only(self, bind: Bind) -> Problem:
        return Problem(
            code=Code.GATEWAY_PORTS_DISABLED,
            text=f"the sshd of {self.host} has `gateway_ports: no`: asked for {bind}, it listens on loopback only",
            at=self.host,
            place=self.place,
            missing=self._bind("gateway_ports", bind),
            suggestion=f"set GatewayPorts clientspecified on {self.host}, and say so here, or listen on localhost",
        )

    def _lists(self, bind: Bind) -> bool:
        """PermitListen compares the text that is sent; a wildcard is sent as the empty string."""
        permitted, sent = self.forwarding.permit_listen, "" if bind.host == WILDCARD else bind.host
        return permitted is None or any(permits(entry, sent, bind.port) for entry in permitted)

    def _unlisted(self, bind: Bind) -> Problem:
        return Problem(
            code=Code.PERMITLISTEN_MISMATCH,
            text=f"the sshd of {self.host} does not permit listening on {bind}{_only(self.forwarding.permit_listen)}",
            at=self.host,
            place=self.place,
            missing=self._bind("permit_listen", bind),
            suggestion=f"add {bind} to PermitListen on {self.host}, and to `permit_listen` here",
        )

    def _dial(self, setting: Setting, service: Service, address: str | None, port: int) -> Missing:
        return self._missing(setting, to=service.host, address=address, port=port or None, protocol=service.protocol)

    def _bind(self, setting: Setting, bind: Bind) -> Missing:
        return self._missing(setting, address=bind.host, port=bind.port or None)

    def _missing(
        self,
        setting: Setting,
        *,
        to: str | None = None,
        address: str | None,
        port: int | None = None,
        protocol: str = "tcp",
    ) -> Missing:
        return Missing(
            kind="sshd",
            at=self.host,
            from_=self.host,
            to=to,
            address=address,
            port=port,
            protocol=protocol,
            setting=setting,
        )


def sshd_of(host: Host) -> Sshd | None:
    """The sshd of a host; None when it is no server."""
    if host.server is None:
        return None
    forwarding = host.server.forwarding
    return Sshd(host.name, forwarding, forwarding.place or host.place)


def commands_needed(context: Context, host: str, does: str) -> tuple[Problem, ...]:
    """What keeps a server from running the helper by which it does something."""
    spec, server = context.transport(host), context.host(host)
    if not spec.exec:
        text = f"sessions by {spec.name} to {host} run no commands, and {host} {does} by a helper that is one"
        return (Problem(code=Code.TRANSPORT_CANNOT, text=text, at=host, place=server.place),)
    sshd = sshd_of(server)
    return tuple(sshd.running(does)) if sshd else ()


def permits(entry: str, host: str, port: int) -> bool:
    """Whether an entry of PermitOpen or PermitListen covers a literal host text and port; ``*`` covers either."""
    text, _, number = entry.rpartition(":")
    text = text.removeprefix("[").removesuffix("]") if text else "*"
    return text in ("*", host) and number in ("*", str(port))


def _only(permitted: tuple[str, ...] | None) -> str:
    return f", only {', '.join(permitted)}" if permitted else ""
