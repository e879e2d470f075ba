"""The switch that stops everything: who turned it and why is on every page, and nothing leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from smsflow_provider.core.delivery.switch import switch_on
from tests.system.conftest import System
from tests.system.dashboard.looking import ROOT, OpenPage, Picture
from tests.system.dashboard.test_approval import address, ask, button, press, ready
from tests.system.dashboard.test_frame import HOME, PAGES

pytestmark = pytest.mark.timeout(400)

OFF = "Everything is switched off: nothing is sent"
WHY = re.compile(r"Switched off by .*manager.*: wrong price", re.IGNORECASE)


@pytest.fixture(autouse=True)
def switched_on_again(system: System) -> Iterator[None]:
    """Switch on again whatever happened: other tests share the store."""
    yield
    switch_on(system.store, actor="test")


def stop_everything(page: Page, check_axe: Callable[[Page], None]) -> None:
    dialog = ask(page, "Stop everything…")
    dialog.get_by_label("Reason").fill("wrong price")
    check_axe(page)
    press(dialog, "Stop everything")
    expect(dialog).to_have_count(0)


def test_nothing_leaves_until_somebody_switches_on_and_every_page_says_why(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    picture: Picture,
    system: System,
) -> None:
    run = ready(system)
    page = open_page(address(run))
    expect(button(page, "Send…")).to_be_enabled()
    stop_everything(page, check_axe)
    expect(page.get_by_text(WHY)).to_be_visible()
    expect(button(page, "Stop everything…")).to_have_count(0)

    viewer = open_page(f"{HOME}/gateways", user="viewer", width=390)
    # The last of the links, which lie in a row wider than the window.
    expect(viewer.locator(f"{ROOT} nav [aria-current=page]")).to_be_in_viewport(ratio=0.9)
    for name in PAGES:
        viewer.locator(f"{ROOT} nav a[href$='/{name}']").click()
        expect(viewer).to_have_url(re.compile(f"{HOME}/{name}"))
        expect(viewer.get_by_text(OFF)).to_be_visible()
        expect(viewer.get_by_text(WHY)).to_be_visible()
    expect(button(viewer, "Switch on…")).to_have_count(0)
    expect(viewer.get_by_text("can switch it on again")).to_be_visible()
    check_axe(viewer)
    no_sideways_scroll(viewer)

    expect(button(page, "Send a proof…")).to_be_disabled()
    expect(page.get_by_text("No proof can be sent")).to_be_visible()
    dialog = ask(page, "Send…")
    expect(dialog.get_by_text("it would be approved and held")).to_be_visible()
    press(dialog, "Send")
    expect(page.get_by_text("Everything was switched off. After")).to_be_visible(timeout=90_000)
    expect(button(page, "Resume…")).to_be_disabled()
    expect(page.get_by_text("switch it on first")).to_be_visible()
    check_axe(page)
    assert 0 == run.report()["accepted"]
    picture(page, "dashboard_switch")

    press(ask(page, "Switch on…"), "Switch on")
    expect(page.get_by_text(OFF)).to_have_count(0)
    press(ask(page, "Resume…"), "Resume")
    run.wait()
    report = run.report()
    assert report["to_deliver"] == report["accepted"] > 0
