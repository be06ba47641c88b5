"""Lines with their meaning."""

import pytest

from orchestra.loading.sshconfig.entries import Assignment, Criterion, Fault, Host, Include, Match, Unknown, entries


def meaning(text):
    [entry] = entries(text)
    return entry.meaning


def test_sections():
    assert meaning("Host a !b") == Host(("a", "!b"))
    assert meaning("Include x y") == Include(("x", "y"))
    assert meaning('Match host=a !exec "test x"') == Match(
        (Criterion("host", "a"), Criterion("exec", "test x", negated=True))
    )
    assert meaning("Match canonical all") == Match((Criterion("canonical"), Criterion("all")))
    assert meaning('Match tagged ""') == Match((Criterion("tagged", ""),))


def test_keywords():
    found = meaning("Port 22")
    assert isinstance(found, Assignment)
    assert (found.keyword.name, found.value) == ("Port", 22)
    assert meaning("Foo bar") == Unknown()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Port x", "'x' is no port"),
        ("Match", "no argument"),
        ("Match colour blue", "'colour' is no criterion"),
        ("Match all host a", "all cannot be combined"),
        ("Match host", "host needs an argument"),
        ("Match localnetwork 10.0.0.1/8", "host bits"),
        ('Host ""', "an argument is empty"),
    ],
)
def test_faults(line, why):
    found = meaning(line)
    assert isinstance(found, Fault)
    assert why in found.why
