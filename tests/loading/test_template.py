"""What `orchestra init` writes."""

from __future__ import annotations

import re

from orchestra.loading import TEMPLATE
from tests.loading.words import topology


def test_the_template_loads_and_so_does_what_is_commented_out() -> None:
    assert list(topology(TEMPLATE).tunnels) == ["db"]
    whole = topology(re.sub(r"^( *)# (?= *[a-z-])", r"\1", TEMPLATE, flags=re.MULTILINE))
    assert set(whole.hosts) >= {"bastion", "inner", "laptop", "edge"}
    assert whole.expectations
