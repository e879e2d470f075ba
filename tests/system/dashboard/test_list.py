"""The list of deliveries: what needs somebody, filters in the address, groups, home, a run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.system.conftest import Run, System
from tests.system.dashboard.looking import ROOT, OpenPage, Picture, PictureBoth

pytestmark = pytest.mark.timeout(300)

LIST = "/plugin/smsflow/deliveries"
DAG = "system.simulator"


@pytest.fixture(scope="module")
def waiting(system: System) -> Run:
    """A run whose delivery waits for its review."""
    run = system.start(DAG)
    run.wait_for_review()
    return run


def test_the_list_is_walked_by_tabs_search_groups_and_the_way_back(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    waiting: Run,
) -> None:
    page = open_page(LIST)
    ours = page.locator(ROOT)
    review = ours.locator(f"table a[href$='/deliveries/{waiting.delivery_id}/review']")
    expect(review).to_be_visible()
    check_axe(page)

    ours.get_by_role("link", name=re.compile("^All")).click()
    expect(page).to_have_url(re.compile(r"tab=all"))
    search = ours.get_by_role("searchbox")
    search.fill("no such delivery")
    expect(ours.get_by_text("No delivery fits")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=no"))
    page.go_back()
    expect(search).to_have_value("")
    expect(review).to_be_visible()

    ours.get_by_text("Group by workflow").click()
    expect(page).to_have_url(re.compile(r"grouped=yes"))
    check_axe(page)
    ours.get_by_role("link", name=f"Show all: {DAG}").first.click()
    expect(page).to_have_url(re.compile(rf"workflow={re.escape(DAG)}"))
    expect(review).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 900})
    expect(review).to_be_hidden()
    card = ours.locator(f"li a[href$='/deliveries/{waiting.delivery_id}/review']")
    expect(card).to_be_visible()
    check_axe(page)
    no_sideways_scroll(page)
    card.click()
    expect(page).to_have_url(re.compile(rf"/deliveries/{waiting.delivery_id}/review"))


def test_the_home_page_and_the_run_show_the_delivery(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    picture: Picture,
    waiting: Run,
) -> None:
    page = open_page("/")
    expect(page.get_by_role("heading", name="SMS deliveries")).to_be_visible()
    check_axe(page)
    picture(page, "dashboard_home")

    page.goto(page.url.rstrip("/") + f"/dags/{waiting.dag_id}/runs/{waiting.run_id}")
    page.get_by_role("link", name="SMS deliveries").click()
    whole = page.get_by_role("link", name="Open the delivery")
    expect(whole).to_be_visible()
    check_axe(page)
    picture(page, "dashboard_run")
    whole.click()
    expect(page).to_have_url(re.compile(rf"{LIST}/{waiting.delivery_id}"))


@pytest.mark.usefixtures("waiting")
def test_the_list_has_its_picture(picture_both: PictureBoth) -> None:
    picture_both(f"{LIST}?tab=all", "dashboard_deliveries", wait="What to do")
