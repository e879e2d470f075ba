"""Every page opens for everybody: light and dark, wide and narrow, by keyboard, in French."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.system.dashboard.looking import ROOT, Language, OpenPage, Scheme

pytestmark = pytest.mark.timeout(300)

HOME = "/plugin/smsflow"
WORDS = Path(__file__).parents[3] / "ui" / "src" / "words"
PAGES = (
    "deliveries",
    "workflows",
    "audiences",
    "templates",
    "opt-outs",
    "quarantine",
    "gateways",
)
WIDTHS = (1280, 390)
#: What has the focus: its place and name, and whether one sees that it has it.
_FOCUS = """(root) => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  return {
    ours: !!one.closest(root),
    page: (one.getAttribute("href") || "").split("/").pop(),
    seen: style.outlineStyle !== "none" || style.boxShadow !== "none",
    // Outside of it, the box that scrolls the links would cut it off.
    inside: parseFloat(style.outlineOffset) <= -parseFloat(style.outlineWidth),
  };
}"""


def _words_of(language: Language) -> dict[str, str]:
    """Read all messages of a language, by the keys under which the pages ask for them."""
    return {
        f"{path.stem}.{key}": message
        for path in sorted((WORDS / language).glob("*.json"))
        for key, message in json.loads(path.read_text(encoding="utf-8")).items()
    }


def _walk(page: Page) -> Iterator[str]:
    """Go to each page by its link in our navigation, and wait until it has its heading."""
    for name in PAGES:
        page.locator(f"{ROOT} nav a[href$='/{name}']").first.click()
        expect(page).to_have_url(re.compile(rf"/plugin/smsflow/{name}"))
        expect(page.locator(f"{ROOT} h1").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        yield name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("user", ["manager", "viewer"])
def test_every_page_opens_without_errors_fits_and_is_accessible(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    user: str,
    scheme: Scheme,
) -> None:
    page = open_page(HOME, user=user, scheme=scheme)

    for _ in _walk(page):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            check_axe(page)
            no_sideways_scroll(page)
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_speaks_the_language_that_was_chosen(
    open_page: OpenPage, language: Language
) -> None:
    page = open_page(HOME, language=language)
    keys = set(_words_of("en"))
    english, own = _words_of("en"), _words_of(language)
    foreign = {
        message
        for key, message in english.items()
        if message not in own.values() and "{" not in message and own[key] != message
    }

    for name in _walk(page):
        lines = {line.strip() for line in page.locator(ROOT).inner_text().splitlines()}
        assert set() == {word for line in lines for word in line.split()} & keys, name
        assert set() == lines & foreign, name
        assert own[f"navigation.{name}"] in lines


def test_the_keyboard_reaches_every_page_and_shows_where_it_is(open_page: OpenPage) -> None:
    page = open_page(f"{HOME}/deliveries")
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS, ROOT)
        if focus["ours"] and focus["page"] in PAGES:
            assert focus["seen"], focus["page"]
            assert focus["inside"], focus["page"]
            reached.append(focus["page"])
        if len(reached) == len(PAGES):
            break

    assert list(PAGES) == reached
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/plugin/smsflow/gateways"))


def test_a_page_whose_answer_fails_says_so_and_tries_again(open_page: OpenPage) -> None:
    page = open_page(f"{HOME}/templates", tolerate=("503",))
    asked = re.compile(r"/smsflow/api/v1/deliveries")
    title = "The store cannot be reached."
    page.route(
        asked,
        lambda route: route.fulfill(
            status=503,
            content_type="application/problem+json",
            body=json.dumps({"title": title, "status": 503}),
        ),
    )
    page.locator(f"{ROOT} nav a[href$='/deliveries']").click()
    expect(page.get_by_text(title).first).to_be_visible()
    page.unroute(asked)
    page.get_by_role("button", name="Try again").first.click()

    expect(page.get_by_text(title)).to_have_count(0)
