"""Whatever the text is: it is refused with a place, or what comes out loads and every tunnel of it is planned."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestra.errors import TopologyInvalid
from tests.plugins.sshcommands.test_commands import planned, read

HOSTS = st.sampled_from(
    ["a", "b.example", "ops@c", "10.0.0.1", "[2001:db8::1]", "any", "here", "d:2222", "-x", "é", "a_b", "x" * 70]
)
ENDS = st.sampled_from(
    ["db:1", "localhost:80", "127.0.0.1:2", "[::1]:3", "any:4", "/run/s.sock", "é:5", "b.example:65535", "a_b:6"]
)
LISTENS = st.sampled_from(
    ["1", "99", "localhost:5", "*:6", ":7", "0.0.0.0:8", "[::1]:9", "/tmp/l.sock", "10.0.0.9:10", "web:11", "0"]
)
FORWARDS = st.one_of(
    st.builds(lambda letter, listen, end: f"-{letter} {listen}:{end}", st.sampled_from("LR"), LISTENS, ENDS),
    st.builds(lambda letter, listen: f"-{letter} {listen}", st.sampled_from("DR"), LISTENS),
    st.builds(lambda hosts: f"-J {','.join(hosts)}", st.lists(HOSTS, min_size=1, max_size=3)),
    st.builds(lambda end: f"-W {end}", ENDS),
    st.sampled_from(
        ["-g", "-A", "-p 22", "-l root", "-i ~/k", "-o User=x", "-o ProxyCommand=nc", "-F none", "-v", "-4"]
    ),
)
COMMANDS = st.builds(lambda options, host: f"ssh {' '.join(options)} {host}", st.lists(FORWARDS, max_size=6), HOSTS)


@settings(max_examples=150, deadline=None)
@given(st.lists(COMMANDS, max_size=3))
def test_commands(lines: list[str]) -> None:
    with suppress(TopologyInvalid):
        planned(read("\n".join(lines)))


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("sh -LRDJo:@[]/\\\n\"'=a1;&|$"), max_size=40))
@example("ssh -J")
@example("ssh -o LocalForward")
def test_any_text(text: str) -> None:
    for form in ("ssh", "ssh-config"):
        with suppress(TopologyInvalid):
            planned(read(text, form))


CONFIG = st.lists(
    st.one_of(
        st.builds("Host {}".format, st.sampled_from(["a", "b c", "*", "!a", "any", "é", "Match all"])),
        st.builds("  LocalForward {} {}".format, LISTENS, ENDS),
        st.builds("  RemoteForward {} {}".format, LISTENS, ENDS),
        st.builds("  ProxyJump {}".format, HOSTS),
        st.sampled_from(
            ["  User x y", "  Port 99", "  Port x", "  HostName %h.example", "  Nonsense", "  GatewayPorts yes"]
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(CONFIG)
def test_configs(lines: list[str]) -> None:
    with suppress(TopologyInvalid):
        planned(read("\n".join(lines), "ssh-config"))
