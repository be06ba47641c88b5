"""The page: one file, strict, every text escaped, with every reason of the plan."""

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

from orchestra.model.plan import Plan
from orchestra.render.picture import arrange, html
from tests.render import plans
from tests.render.picture import drawings
from tests.render.picture.test_svg import HOSTILE, hostile


class Read(HTMLParser):
    """Tags, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def page_of(topology):
    return html(drawings.placed_of(topology), drawings.planned(topology))


def test_every_tunnel_is_a_button_with_its_ladder_and_its_reasons(tmp_path):
    read = Read(page_of(drawings.read(drawings.BLOCKED, tmp_path)))
    assert [value for name, value in read.attributes if name == "data-tunnel"] == ["db", "qemu", "wiki"]
    text = "".join(read.text)
    assert "gateway dials 10.30.0.8:5432 = db" in text
    assert re.search(r"✘ rule 'no-db' of core denies .*drawn\.yaml:16", text)
    assert "core would have to pass gateway → 10.30.0.8:5432 = db, tcp" in text
    assert "FIREWALL_DENY_RULE" in text


def test_the_policy_allows_this_style_and_this_script_only(tmp_path):
    page = page_of(drawings.read(drawings.BLOCKED, tmp_path))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    for tag in ("style", "script"):
        (source,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert " style=" not in page


def test_nothing_comes_from_outside(tmp_path):
    read = Read(page_of(drawings.read(drawings.BLOCKED, tmp_path)))
    assert not {"link", "img", "iframe", "object", "base"} & {*read.tags}
    assert not {"src", "href", "action"} & {name for name, _ in read.attributes}


def test_hostile_texts_stay_texts():
    nasty = dataclasses.replace(
        plans.BLOCKED,
        name=HOSTILE,
        dial=None,
        blocked=tuple(dataclasses.replace(dial, means=HOSTILE, by=HOSTILE) for dial in plans.BLOCKED.blocked),
        missing=tuple(dataclasses.replace(each, at=HOSTILE) for each in plans.BLOCKED.missing),
    )
    page = html(arrange(hostile()), Plan(topology=HOSTILE, client="laptop", tunnels=(nasty,)))
    read = Read(page)
    assert "img" not in read.tags
    assert read.tags.count("script") == 1
    assert not any(name.startswith("on") for name, _ in read.attributes)
    assert "\u202e" not in page


def test_what_another_client_holds_and_bare_topologies():
    topology = drawings.read("topologies/nat.yaml")
    placed = drawings.placed_of(topology)
    elsewhere = html(placed, Plan(topology="t", client="laptop", tunnels=(plans.ELSEWHERE,)))
    assert "held by runner, not opened here" in elsewhere
    assert "<nav" not in html(placed, Plan(topology="t", client="laptop"))


def test_unprotected_and_spare_ways_are_said():
    placed = drawings.placed_of(drawings.read("topologies/nat.yaml"))
    page = html(placed, plans.plan(plans.DESK, plans.PLAIN_DIAL, plans.CALLBACK))
    assert "unprotected: no SSH session carries it" in page
    assert "laptop → other" in page
    assert "exposed beyond loopback" in page
