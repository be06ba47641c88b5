"""The page in a browser: a tunnel is chosen by click or key, its path lights up and its reasons are shown."""

import pytest

from orchestra.render.picture import html
from tests.render.picture import drawings
from tests.render.picture.browser import browser

LIT = "[...document.querySelectorAll('svg [id].lit')].map(each => each.id).sort().join(' ')"
SHOWN = "[...document.querySelectorAll('section')].filter(each => !each.hidden).map(each => each.innerText).join()"
FOCUS = "document.activeElement.dataset.tunnel"


@pytest.fixture(scope="module")
def page():
    with browser() as opened:
        yield opened


@pytest.fixture
def drawn(page, tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    file = tmp_path / "picture.html"
    file.write_text(html(drawings.placed_of(topology), drawings.planned(topology)), encoding="utf-8")
    page.complaints.clear()
    page.open(file)
    return page


def test_a_click_lights_the_path_and_shows_the_reasons(drawn):
    assert (drawn.ask(LIT), drawn.ask(SHOWN)) == ("", "")
    drawn.click("button[data-tunnel=wiki]")
    assert drawn.ask(LIT) == (
        "arrow-dial-gateway-10.20.0.80:80-wiki arrow-session-gateway node-edge node-gateway node-laptop node-wiki"
    )
    assert "gateway dials 10.20.0.80:80 = wiki" in drawn.ask(SHOWN)
    assert drawn.ask("getComputedStyle(document.getElementById('node-db')).opacity") == "0.45"
    drawn.click("button[data-tunnel=db]")
    assert "no-db" in drawn.ask(SHOWN)
    assert "10.20.0.80:80" not in drawn.ask(SHOWN)
    drawn.click("button[data-tunnel=db]")
    assert (drawn.ask(LIT), drawn.ask(SHOWN)) == ("", "")
    assert drawn.complaints == []


def test_keys_do_it_too(drawn):
    drawn.press("Tab")
    assert drawn.ask(FOCUS) == "db"
    drawn.press("ArrowDown")
    drawn.press("ArrowDown")
    assert drawn.ask(FOCUS) == "wiki"
    drawn.press("Enter", "\r")
    assert "node-wiki" in drawn.ask(LIT)
    assert drawn.ask("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert drawn.ask("location.hash") == "#wiki"
    drawn.press("Escape")
    assert drawn.ask(LIT) == ""


def test_an_arrow_in_the_picture_chooses_its_tunnels_in_turn(drawn):
    found = []
    for _ in range(4):
        drawn.click("#arrow-session-gateway .label")
        found.append(drawn.ask("document.querySelector('[aria-expanded=true]').dataset.tunnel"))
    assert found == ["db", "qemu", "wiki", "db"]


def test_in_a_large_picture_the_chosen_path_comes_into_view(page, tmp_path):
    topology = drawings.read(drawings.generated(200), tmp_path)
    file = tmp_path / "large.html"
    file.write_text(html(drawings.placed_of(topology), drawings.planned(topology)), encoding="utf-8")
    page.open(file)
    inside = """(part => { const box = part.getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight && box.width > 0; })"""
    for tunnel, site in (("t9-0", 9), ("t1-0", 1)):
        page.click(f"button[data-tunnel={tunnel}]")
        assert page.ask(f"{inside}(document.querySelector('#arrow-dial-dialed-t{site}-0 .label'))"), tunnel
        assert page.ask(f"{inside}(document.querySelector('button[data-tunnel={tunnel}]'))"), tunnel
    assert page.complaints == []


def test_light_and_dark(drawn):
    paper = "getComputedStyle(document.querySelector('svg .paper')).fill"
    drawn.prefer("light")
    light = drawn.ask(paper)
    drawn.prefer("dark")
    assert (light, drawn.ask(paper)) == ("rgb(255, 255, 255)", "rgb(17, 22, 29)")


def test_every_text_stays_in_its_box(drawn):
    outside = """[...document.querySelectorAll('svg .node, svg .arrow[id]')].filter(part => {
        const box = part.querySelector('.box, .label').getBoundingClientRect();
        return [...part.querySelectorAll('text')].some(each => each.getBoundingClientRect().right > box.right + 0.5);
    }).map(part => part.id).join()"""
    assert drawn.ask(outside) == ""
