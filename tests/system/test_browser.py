"""What a person sees: the graph, the required action, the review; and that pressing Send sends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from smsflow_provider.cli.demo.crm import make_customers
from smsflow_provider.cli.demo.history import FormerRun
from tests.core.preparation.preparing import SIMULATOR
from tests.requirements import require_program
from tests.system.conftest import Run, System

pytestmark = pytest.mark.timeout(300)

# Airflow's pages take their time on a machine that does other things too.
expect.set_options(timeout=30_000)

#: Set to 1 to renew the pictures of the docs.
_RENEW = os.environ.get("SMSFLOW_SCREENSHOTS") == "1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    chromium = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, system: System) -> Iterator[Page]:
    """A window in which the manager is logged in."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies(
        [{"name": "_token", "value": system.airflow.token("manager"), "url": _base(system)}]
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def _base(system: System) -> str:
    return system.airflow.base_url


def _picture(page: Page, name: str, folder: Path, repository: Path) -> None:
    """Take a picture, look whether there is something on it, keep it in the docs when asked to."""
    target = folder / f"{name}.png"
    page.screenshot(path=target)
    assert target.stat().st_size > 15_000, "an empty page"
    if _RENEW:
        (repository / "docs" / "images").mkdir(parents=True, exist_ok=True)
        shutil.copy(target, repository / "docs" / "images" / target.name)


DAG_ID = "marketing.spring_sale"


@pytest.fixture(scope="module")
def run(system: System, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The example workflow, waiting for its review; there was a run before, and a proof left."""
    customers = make_customers(200, random=Random(7), today=date(2026, 11, 22))
    folder = tmp_path_factory.mktemp("last-week")
    former = FormerRun(
        dag_id=DAG_ID, dags=Path(__file__).parents[2] / "dags", folder=folder, dialect=SIMULATOR
    )
    former.prepare(system.store, customers[:190])
    run = system.start(DAG_ID)
    run.wait_for_review()
    _prove(run)
    system.simulator.forget()
    return run


def _prove(run: Run) -> None:
    """Send the longest message to a test number."""
    path = f"/smsflow/api/v1/deliveries/{run.delivery_id}"
    review = run.client.call("GET", f"{path}/review")
    sent = httpx.post(
        f"{_base(run.system)}{path}/proofs",
        json={"to": ["+33698765432"], "picks": ["longest"], "fingerprint": review["fingerprint"]},
        headers={
            "Authorization": f"Bearer {run.system.airflow.token('manager')}",
            "Idempotency-Key": "browser",
        },
        trust_env=False,
        timeout=60,
    )
    assert 201 == sent.status_code, sent.text


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_needs_no_script(
    browser: Browser, system: System, run: Run, width: int, scheme: Any
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=False
    )
    context.add_cookies(
        [{"name": "_token", "value": system.airflow.token("manager"), "url": _base(system)}]
    )
    page = context.new_page()
    page.goto(f"{_base(system)}/smsflow/deliveries/{run.delivery_id}")
    box = page.locator("body").bounding_box()

    assert box is not None
    assert box["width"] <= width
    assert [] == [
        element.inner_text()
        for element in page.locator("h2, .tile, .sample, table, .go a").all()
        if (inner := element.bounding_box()) is None or inner["x"] + inner["width"] > width + 1
    ]
    for heading in HEADINGS:
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_role("link", name="Send or reject")).to_be_in_viewport()
    context.close()


HEADINGS = (
    "Spring sale",
    "Who gets nothing, and why",
    "What they read",
    "Cost by country",
    "How it travels",
    "Since the former run",
    "Proofs sent",
)


def test_a_person_reviews_and_sends_in_the_browser(
    page: Page, system: System, run: Run, tmp_path: Path, repository: Path
) -> None:
    to_deliver = run.report()["to_deliver"]
    assert [] == system.simulator.messages()

    _look_at_the_graph(page, run)
    _picture(page, "graph", tmp_path, repository)
    _look_at_the_review(page, run)
    page.set_viewport_size({"width": 1280, "height": 1240})
    _picture(page, "review", tmp_path, repository)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("link", name="Send or reject").click()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_text("Review and send: Spring sale").first).to_be_visible()
    _picture(page, "required_action", tmp_path, repository)
    page.get_by_role("button", name="Send").click()
    states = run.wait()

    assert {"success"} == set(states.values())
    assert to_deliver == len(system.simulator.messages()) > 100
    page.goto(f"{_base(system)}/smsflow/deliveries/{run.delivery_id}")
    expect(page.get_by_text("State: finished")).to_be_visible()
    expect(page.get_by_role("link", name="Send or reject")).to_have_count(0)


def _look_at_the_graph(page: Page, run: Run) -> None:
    page.goto(f"{_base(run.system)}/dags/{run.dag_id}/runs/{run.run_id}")
    page.get_by_role("button", name="Show Graph").or_(
        page.locator("[data-testid='graph-view-button']")
    ).or_(page.get_by_label("Show Graph")).first.click()
    expect(page.locator(".react-flow__node").first).to_be_visible()
    expect(page.locator(".react-flow__node", has_text="sms").first).to_be_visible()
    page.get_by_text("+ 4 Tasks").click()
    expect(page.locator(".react-flow__node", has_text="review_and_send").first).to_be_visible()
    page.get_by_role("button", name="Fit View").or_(
        page.locator(".react-flow__controls-fitview")
    ).first.click()
    # The graph slides to its new place.
    page.wait_for_timeout(2000)


def _look_at_the_review(page: Page, run: Run) -> None:
    page.goto(f"{_base(run.system)}/smsflow/deliveries/{run.delivery_id}")
    expect(page.get_by_role("heading", name="Spring sale")).to_be_visible()
    expect(page.get_by_text("State: ready")).to_be_visible()
    body = page.inner_text("body")
    assert f"{run.report()['to_deliver']}" in body
    assert "no address" in body
    assert "+33" in body
    with run.system.store.transaction() as connection:
        rows = connection.execute("SELECT phone FROM smsflow_messages").fetchall()
    assert [] == [row["phone"] for row in rows if str(row["phone"])[2:] in body]


def test_nobody_sees_a_review_without_a_login(browser: Browser, system: System) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{_base(system)}/smsflow/deliveries/anything")

    assert answer is not None
    assert 401 == answer.status
    context.close()
