"""The page of what runs: always the same, strict, and without anything in it or from outside."""

import base64
import hashlib
import re

from orchestra.render.picture.live import POLICY, live_page
from orchestra.render.picture.live_script import SCRIPT
from orchestra.render.status_text import SYMBOLS
from tests.render.picture.test_html import Read


def test_the_policy_allows_this_style_this_script_and_questions_to_where_it_came_from():
    for tag in ("style", "script"):
        (source,) = re.findall(f"<{tag}>(.*?)</{tag}>", live_page(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in POLICY
    for rule in ("default-src 'none'", "connect-src 'self'", "form-action 'none'", "frame-ancestors 'none'"):
        assert rule in POLICY
    assert " style=" not in live_page()


def test_nothing_comes_from_outside():
    read = Read(live_page())
    assert not {"link", "img", "iframe", "object", "base"} & {*read.tags}
    assert not {"src", "href", "action"} & {name for name, _ in read.attributes}
    assert "http" not in SCRIPT.replace("http://www.w3.org/2000/svg", "")


def test_what_is_told_is_never_markup():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\(", SCRIPT)


def test_it_has_the_signs_of_the_terminal():
    signs = dict(re.findall(r'(\w+): "(.)"', SCRIPT.partition("SIGNS = {")[2].partition("}")[0]))
    assert signs == {state: sign for state, (_, sign) in SYMBOLS.items()}
