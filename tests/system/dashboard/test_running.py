"""A delivery while it leaves, held, gone on with, stopped; and what is told of it afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.system.conftest import Run, System
from tests.system.dashboard.looking import OpenPage, Picture
from tests.system.dashboard.test_approval import (
    FORGE,
    address,
    ask,
    button,
    header_of,
    press,
    ready,
)

pytestmark = pytest.mark.timeout(400)

#: Its gateway takes so few parts a second that a person can be faster.
DAG = "system.slow"


def going(system: System, open_page: OpenPage) -> tuple[Page, Run]:
    """Say Send on the page, and watch the first messages leave."""
    run = ready(system, DAG)
    page = open_page(address(run), tolerate=("409",))
    press(ask(page, "Send…"), "Send")
    expect(button(page, "Pause…")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Progress")).to_be_visible()
    return page, run


def test_a_person_pauses_goes_on_and_reads_what_became_of_it(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    picture: Picture,
    system: System,
) -> None:
    page, run = going(system, open_page)
    expect(page.get_by_text("0 of 57 messages settled")).to_have_count(0)
    press(ask(page, "Pause…"), "Pause")
    expect(page.get_by_text("nothing leaves until somebody resumes it")).to_be_visible()
    page.wait_for_timeout(2_000)
    held = run.report()["accepted"]
    page.wait_for_timeout(2_000)
    assert held == run.report()["accepted"] < run.report()["to_deliver"]
    check_axe(page)
    expect(page.get_by_text("Somebody paused it")).to_be_visible()
    picture(page, "dashboard_sending")

    press(ask(page, "Resume…"), "Resume")
    run.wait()
    report = run.report()
    assert report["to_deliver"] == report["accepted"]
    assert len(system.simulator.messages()) >= report["to_deliver"]
    for tab, says in (
        ("report", "By country"),
        ("log", "Show the story of message 1"),
        ("activity", "manager"),
    ):
        told = open_page(f"{address(run)}/{tab}")
        ours = told.locator("[data-smsflow=root]")
        expect(ours.get_by_text(says).or_(ours.get_by_label(says)).first).to_be_visible()
        check_axe(told)
        picture(told, f"dashboard_{tab}")
        told.set_viewport_size({"width": 390, "height": 900})
        no_sideways_scroll(told)
        if tab == "log":
            read_a_story(told, no=50)


def read_a_story(page: Page, *, no: int) -> None:
    """Open it far down the list: it is brought before the eyes, and back where one came from."""
    opener = page.get_by_role("button", name=f"Show the story of message {no}", exact=True)
    opener.click()
    story = page.get_by_role("region", name=f"Story of message {no}")
    expect(story).to_be_in_viewport()
    story.get_by_role("button").click()
    expect(story).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_stopped_delivery_stays_stopped(open_page: OpenPage, system: System) -> None:
    page, run = going(system, open_page)
    press(ask(page, "Stop…"), "Stop for good")
    expect(page.get_by_text("It was stopped for good")).to_be_visible()
    expect(button(page, "Resume…")).to_have_count(0)

    api = f"/smsflow/api/v1/deliveries/{run.delivery_id}"
    header = header_of(run)
    resumed = page.evaluate(FORGE, [f"{api}/resume", {"version": header["version"]}])
    # The decision that was made is told again, and nothing goes on.
    sent = page.evaluate(FORGE, [f"{api}/send", {"fingerprint": header["fingerprint"]}])
    assert (409, 200) == (resumed, sent)
    run.client.wait_for_run(run.dag_id, run.run_id, states=["success", "failed"], timeout_s=120)
    report = run.report()
    assert "stopped" == report["state"]
    assert report["accepted"] < report["to_deliver"]
