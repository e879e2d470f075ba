"""How the tests look at a page: is it accessible, does it fit, what does it look like."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Protocol

from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
Language = Literal["en", "fr"]

#: The element that holds all of ours; the rest of the window is Airflow's.
ROOT = "[data-smsflow=root]"
#: Set to 1 to renew the pictures of the docs.
RENEW = os.environ.get("SMSFLOW_SCREENSHOTS") == "1"
IMAGES = Path(__file__).parents[3] / "docs" / "images" / "dashboard"
#: A window without anything of ours is smaller.
_LEAST_BYTES = 12_000
_TALLEST = 2_400

#: What Airflow does in a window where somebody chose light or dark in another one.
_IN_SCHEME = """(scheme) => {
  localStorage.setItem("theme", scheme);
  dispatchEvent(new StorageEvent("storage", { key: "theme", newValue: scheme,
                                              storageArea: localStorage }));
}"""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
_AXE = """async ([root, rules]) => {
  // What still fades in has colours of its own.
  await Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished));
  const found = await axe.run(root, { runOnly: { type: "tag", values: rules },
                                      resultTypes: ["violations"] });
  return found.violations.flatMap((one) => one.nodes.map((node) =>
    `${one.id}: ${node.html.slice(0, 160)} (${node.failureSummary.split("\\n").join(" ")})`));
}"""

#: Elements of ours that stick out of the window, but for those in a box that scrolls by itself;
#: and boxes around ours that can be scrolled sideways.
_STICKING_OUT = """(root) => {
  const ours = document.querySelector(root);
  const scrolls = (one) => ["auto", "scroll", "hidden", "clip"].includes(
    getComputedStyle(one).overflowX);
  const held = (one) => {
    for (let box = one.parentElement; box && box !== ours; box = box.parentElement)
      if (scrolls(box)) return true;
    return false;
  };
  const name = (one) => one.outerHTML.slice(0, 120);
  const out = [...ours.querySelectorAll("*")].filter((one) => {
    const edge = one.getBoundingClientRect();
    return edge.width > 0 && edge.right > innerWidth + 1 && !held(one);
  }).map(name);
  for (let box = ours; box; box = box.parentElement)
    if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible")
      out.push(`scrolls sideways: ${name(box)}`);
  return out.slice(0, 5);
}"""


class OpenPage(Protocol):
    """Opens a page of Airflow in a window of its own; see the fixture `open_page`."""

    def __call__(
        self,
        path: str,
        *,
        user: str = "manager",
        width: int = 1280,
        height: int = 900,
        scheme: Scheme = "light",
        language: Language = "en",
        tolerate: Sequence[str] = (),
    ) -> Page: ...


class Picture(Protocol):
    """Takes a picture of an open page in light and in dark; see the fixture `picture`."""

    def __call__(self, page: Page, name: str) -> None: ...


class PictureBoth(Protocol):
    """Opens a path and takes its pictures; see the fixture `picture_both`."""

    def __call__(self, path: str, name: str, *, wait: str | None = None, **how: Any) -> None: ...


def check_axe(page: Page) -> None:
    """
    Fail unless axe-core finds nothing against WCAG 2.1 A and AA in our part of the page.

    What Airflow draws around it is not looked at. Open dialogs lie outside of it, at the end of the
    document: they are looked at too.
    """
    if not page.evaluate("() => 'axe' in globalThis"):
        script = files("axe_playwright_python").joinpath("axe.min.js")
        page.evaluate(script.read_text(encoding="utf-8"))
    for place in (ROOT, "[role=dialog]", "[role=alertdialog]"):
        if page.locator(place).count():
            found = page.evaluate(_AXE, [place, _RULES])
            assert [] == found, f"{page.url}: {found}"


def check_no_sideways_scroll(page: Page) -> None:
    """Fail if something of ours is wider than the window, but for what scrolls in its own box."""
    assert [] == page.evaluate(_STICKING_OUT, ROOT), page.url


def take_pictures(page: Page, folder: Path, name: str) -> None:
    """
    Take ``name_light.png`` and ``name_dark.png``, and fail if there is nothing on them.

    The window is made as tall as our part of the page for it, 2400 px at most. It is left in light.

    Args:
        page: Of which.
        folder: Where they go; with ``SMSFLOW_SCREENSHOTS=1`` the docs get a copy.
        name: What begins their names.
    """
    window = page.viewport_size
    assert window is not None
    page.wait_for_load_state("networkidle")
    tall = int(page.evaluate("(root) => document.querySelector(root).scrollHeight", ROOT))
    page.set_viewport_size({**window, "height": max(window["height"], min(tall + 80, _TALLEST))})
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(_IN_SCHEME, scheme)
        page.locator(f"html.{scheme}").wait_for(state="attached")
        target = folder / f"{name}_{scheme}.png"
        page.screenshot(path=target, animations="disabled")
        assert target.stat().st_size > _LEAST_BYTES, f"an empty page: {page.url}"
        if RENEW:
            IMAGES.mkdir(parents=True, exist_ok=True)
            shutil.copy(target, IMAGES / target.name)
    page.set_viewport_size(window)
