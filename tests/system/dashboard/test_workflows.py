"""Workflows and saved audiences, as a person uses them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.saved import save
from smsflow_provider.core.store.connection import Store
from tests.system.conftest import System
from tests.system.dashboard.looking import OpenPage, Picture

pytestmark = pytest.mark.timeout(300)

HOME = "/plugin/smsflow"
DAG = "system.simulator"


def test_a_run_is_started_from_the_form_and_appears(
    system: System,
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    picture: Picture,
) -> None:
    system.airflow.client("manager").wait_for_dag(DAG)
    page = open_page(f"{HOME}/workflows")
    page.get_by_role("link", name=DAG, exact=True).click()
    expect(page.get_by_role("heading", name="Next runs")).to_be_visible()
    check_axe(page)

    page.get_by_role("button", name="Start", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("before somebody presses Send")).to_be_visible()
    _wait_until_drawn(dialog)
    check_axe(page)
    dialog.get_by_role("button", name="Start the run").click()
    started = page.get_by_text(re.compile("^Started: "))
    expect(started).to_be_visible()
    run_id = re.findall(r"Started: (\S+?)\. It", started.inner_text())[0]
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=run_id, exact=True))
    expect(row).to_be_visible()
    expect(row.get_by_text("Waiting for review")).to_be_visible(timeout=120_000)
    # In the graph and in its list for readers; runs of other walks may wait as well.
    expect(page.get_by_text("waiting for a person").first).to_be_visible()
    check_axe(page)
    page.set_viewport_size({"width": 390, "height": 900})
    no_sideways_scroll(page)

    page.set_viewport_size({"width": 1280, "height": 900})
    picture(page, "dashboard_workflow")
    page.get_by_role("link", name="Workflows").click()
    expect(page.get_by_role("link", name=DAG, exact=True)).to_be_visible()
    picture(page, "dashboard_workflows")


def test_who_only_looks_may_not_start(
    system: System, open_page: OpenPage, check_axe: Callable[[Page], None]
) -> None:
    system.airflow.client("manager").wait_for_dag(DAG)
    page = open_page(f"{HOME}/workflows/{DAG}", user="viewer")

    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    expect(page.get_by_text("and not start it")).to_be_visible()
    check_axe(page)


def test_an_audience_is_described_and_a_version_of_it_deleted(
    system: System,
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    picture: Picture,
) -> None:
    for count in (1_200, 1_350, 1_340):
        _save(system.store, count)
    page = open_page(f"{HOME}/audiences")
    page.get_by_role("link", name="garden_regulars").click()
    expect(page.get_by_text("150 more")).to_be_visible()
    check_axe(page)

    page.get_by_role("button", name="Describe").click()
    page.get_by_label("What is garden_regulars?").fill("Bought something for the garden")
    page.get_by_role("button", name="Save the description").click()
    expect(page.get_by_role("button", name="Describe")).to_be_visible()
    expect(page.get_by_text("Bought something for the garden")).to_be_visible()
    page.get_by_role("button", name="Delete version 1").click()
    asked = page.get_by_role("alertdialog")
    _wait_until_drawn(asked)
    check_axe(page)
    asked.get_by_role("button", name="Delete version 1").click()
    expect(page.get_by_role("button", name="Delete version 1")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete version 2")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    no_sideways_scroll(page)

    page.set_viewport_size({"width": 1280, "height": 900})
    picture(page, "dashboard_audience")
    page.get_by_role("link", name="Audiences").click()
    expect(page.get_by_role("link", name="garden_regulars")).to_be_visible()
    picture(page, "dashboard_audiences")


def _wait_until_drawn(dialog: Locator) -> None:
    """Wait until it has faded in: half faded its texts have too little contrast."""
    expect(dialog).to_be_visible()
    dialog.evaluate(
        "one => Promise.all(one.getAnimations({subtree: true}).map(each => each.finished))"
    )


def _save(store: Store, count: int) -> None:
    columns = (Column(name="recipient_id", kind="text"), Column(name="phone", kind="text"))
    reference = AudienceReference(
        uri=f"file:///garden/{count}.parquet",
        count=count,
        fingerprint=f"{count:064}",
        columns=columns,
    )
    save(store, "garden_regulars", reference, dag_id=DAG, run_id="r1", task_id="people")
