"""A status made by hand, with every shape that is to be drawn."""

from dataclasses import replace

from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus

REFUSED = ErrorStatus(
    code="CONNECT_REFUSED",
    host="inner",
    message="gateway dials 10.20.0.7:22: connection refused",
    since=90.0,
    attempts=3,
    next_retry=104.2,
    suggestion="is sshd running on inner?",
)
STATUS = Status(
    topology="office",
    name="office",
    pid=4711,
    version="0.1.0",
    file="/home/alice/office.yaml",
    state="degraded",
    sessions=(
        SessionStatus(id="gateway", server="gateway", state="open"),
        SessionStatus(id="inner", server="inner", state="retrying", error=REFUSED),
    ),
    tunnels=(
        TunnelStatus(
            name="desk",
            state="ready",
            proven=True,
            listen=("127.0.0.1:5920", "[::1]:5920"),
            connections=1,
            bytes_in=1_300_000,
            bytes_out=310,
        ),
        TunnelStatus(name="web", state="ready", proven=False, listen=("127.0.0.1:80",), optional=True),
        TunnelStatus(name="vault", state="failed", proven=False, error=replace(REFUSED, next_retry=None), notes=("n",)),
    ),
)
