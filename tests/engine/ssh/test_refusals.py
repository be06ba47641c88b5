"""What people are told of host keys."""

from orchestra.diagnostics import Code
from orchestra.engine.ssh import refusals
from orchestra.engine.ssh.hostkeys import KnownKey, ShownKey, TrustedKeys, Verdict
from orchestra.engine.ssh.refusals import About
from orchestra.model.plan import Dial

from .test_hostkeys import BLOB

ABOUT = About("gateway", Dial(by="laptop", host="198.51.100.1", port=2222), "gw", "[gw]:22")
SHOWN = ShownKey(BLOB)
OLD = KnownKey("", "[gw]:22", "ecdsa-sha2-nistp256", b"old", "/home/me/known hosts:7")


def test_a_changed_key_comes_with_the_command_that_forgets_the_old_one():
    said = refusals.changed(ABOUT, SHOWN, Verdict("changed", (OLD,)), pinned=False)
    assert said.code == Code.HOST_KEY_CHANGED
    assert f"it shows {SHOWN}, known is ecdsa-sha2-nistp256 {OLD.fingerprint} (/home/me/known hosts:7)" in said.message
    assert "the known key is of another type" in said.message
    assert said.suggestion.endswith("forget the old key: ssh-keygen -f '/home/me/known hosts' -R '[gw]:22'")
    said = refusals.changed(ABOUT, SHOWN, Verdict("changed", (OLD,)), pinned=True)
    assert said.suggestion.endswith("only then correct host_key in the topology")


def test_lines_that_cannot_be_read_are_named_where_they_may_matter():
    broken = [f"f:{number}" for number in range(1, 6)]
    said = refusals.unknown(ABOUT, SHOWN, Verdict("unknown"), TrustedKeys("gw"), broken)
    assert "(lines that cannot be read: f:1, f:2, f:3 and 2 more)" in said.message


def test_a_question_says_all_that_there_is_to_compare():
    text = refusals.question(ABOUT, SHOWN, Verdict("uncertified", (), "expired at noon"), [OLD])
    assert text.split("\n") == [
        "The host key of gateway is unknown: laptop dials 198.51.100.1:2222, and nothing is filed under [gw]:22.",
        f"  {SHOWN}",
        "  its certificate expired at noon",
        "  the same key is known elsewhere: /home/me/known hosts:7",
        "Is that the server's own fingerprint? (yes/no/the fingerprint)",
    ]


def test_what_a_certificate_says_is_cleaned():
    said = refusals.unknown(ABOUT, SHOWN, Verdict("uncertified", (), "is for \x1b[2J\u202e"), TrustedKeys("gw"))
    assert (said.code, "\x1b" in said.message, "\u202e" in said.message) == (
        Code.HOST_CERTIFICATE_INVALID,
        False,
        False,
    )
