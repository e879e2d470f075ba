"""What a person sees: the graph, the required action, the review; and that pressing Send sends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.requirements import require_program
from tests.system.conftest import Run, System

pytestmark = pytest.mark.timeout(300)

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


def test_a_person_reviews_and_sends_in_the_browser(
    page: Page, system: System, tmp_path: Path, repository: Path
) -> None:
    system.simulator.forget()
    run = system.start("system.simulator")
    run.wait_for_review()
    assert [] == system.simulator.messages()

    _look_at_the_graph(page, run)
    _picture(page, "graph", tmp_path, repository)
    _look_at_the_review(page, run)
    _picture(page, "review", tmp_path, repository)
    page.get_by_role("link", name="Send or reject").click()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_text("Review and send: A note").first).to_be_visible()
    _picture(page, "required_action", tmp_path, repository)
    page.get_by_role("button", name="Send").click()
    states = run.wait()

    assert {"success"} == set(states.values())
    assert 57 == len(system.simulator.messages())
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
    expect(page.get_by_role("heading", name="A note")).to_be_visible()
    expect(page.get_by_text("State: ready")).to_be_visible()
    body = page.inner_text("body")
    assert "57" in body
    assert "no address" in body
    assert "+33" in body
    for message_id in ("0610000007", "33610000007"):
        assert message_id not in body


def test_nobody_sees_a_review_without_a_login(browser: Browser, system: System) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{_base(system)}/smsflow/deliveries/anything")

    assert answer is not None
    assert 401 == answer.status
    context.close()
