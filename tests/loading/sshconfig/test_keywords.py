"""The table of keywords: complete, as far as the system's ssh can tell."""

from orchestra.loading.sshconfig.keywords import KEYWORDS, SECTIONS
from tests.loading.sshconfig.against_ssh import defaults, needs_ssh


@needs_ssh
def test_every_keyword_that_ssh_prints_is_known():
    printed = {each.lower() for each in defaults()} - SECTIONS
    assert printed - KEYWORDS.keys() == set()


def test_old_names_mean_the_new_ones():
    assert KEYWORDS["challengeresponseauthentication"].name == "KbdInteractiveAuthentication"
    assert KEYWORDS["identityfile2"] is KEYWORDS["identityfile"]


def test_names_are_in_lower_case_and_no_section_is_among_them():
    assert all(name == name.lower() for name in KEYWORDS)
    assert not SECTIONS & KEYWORDS.keys()
