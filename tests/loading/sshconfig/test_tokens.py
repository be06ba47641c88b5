"""Tokens and variables."""

from hashlib import sha1

import pytest

from orchestra.loading.sshconfig.tokens import BadToken, connection_hash, expand, tilde


def test_tokens_and_variables():
    assert expand("%h-%%-${A}", {"h": "gw"}, {"A": "%h"}) == "gw-%-%h"
    assert expand("${A}", {}) == "${A}"


@pytest.mark.parametrize("text", ["%z", "%", "${A", "${}", "${B}"])
def test_what_means_nothing(text):
    with pytest.raises(BadToken):
        expand(text, {"h": "gw"}, {"A": "x"})


def test_the_users_home():
    assert [tilde(text, "/home/ann/") for text in ("~", "~/x", "~bob/x", "/~")] == [
        "/home/ann",
        "/home/ann/x",
        "~bob/x",
        "/~",
    ]


def test_the_hash_is_that_of_five_parts():
    assert connection_hash("l", "h", 22, "u", "j") == sha1(b"lh22uj").hexdigest()  # noqa: S324
