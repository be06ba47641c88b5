"""What the checks share, in a file."""

from __future__ import annotations

import pytest

from tests.plugins.checks.subjects import faults


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("{type: imap, tls: yes, ca: ca.pem, host: mail.example}", None),
        ("{type: imap, tls: yes, insecure: yes}", None),
        ("{type: imap, ca: ca.pem}", "write `tls: yes` too"),
        ("{type: imap, insecure: yes}", "write `tls: yes` too"),
        ("{type: https, ca: ca.pem, insecure: yes}", "remove it, or `ca`"),
        ("{type: https, tls: yes}", "tls: unknown key 'tls'"),
        ("{type: imap, tls: maybe}", "tls: yes or no is needed here, not text"),
        ("{type: imap, host: }", "host: "),
        ('{type: imap, tls: yes, host: "a\\r\\nb"}', "host: "),
        ("{type: imap, hots: x}", "hots: unknown key 'hots'"),
        ("{type: imap, ca: [x], tls: yes}", "ca: text is needed here, not a list"),
    ],
)
def test_what_a_file_may_say(check: str, problem: str | None) -> None:
    found = faults(check)
    assert bool(found) == bool(problem), found
    assert not problem or problem in found[0]
