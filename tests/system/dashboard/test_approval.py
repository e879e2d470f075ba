"""Review and send from a delivery's page: by one person, by two, by the wrong one, too late."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from smsflow_provider.core.delivery.approval import decide
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.testing.simulator import RunningSimulator
from tests.system.conftest import Run, System
from tests.system.dashboard.looking import OpenPage, Picture

pytestmark = pytest.mark.timeout(400)

DAG = "system.simulator"
PREPARED_AGAIN = re.compile("prepared again", re.IGNORECASE)
FORGE = """async ([path, body]) => {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(body),
                                     headers: { "Content-Type": "application/json" } });
  return answer.status;
}"""


def address(run: Run) -> str:
    return f"/plugin/smsflow/deliveries/{run.delivery_id}"


def ready(system: System, dag_id: str = DAG, **conf: Any) -> Run:
    run = system.start(dag_id, **conf)
    run.wait_for_review()
    return run


def header_of(run: Run) -> dict[str, Any]:
    path = f"/smsflow/api/v1/deliveries/{run.delivery_id}/header"
    return dict(run.client.call("GET", path))


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def ask(page: Page, name: str) -> Locator:
    """Press the button that asks once more; returns the dialog."""
    button(page, name).click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    return dialog


def press(dialog: Locator, name: str) -> None:
    dialog.get_by_role("button", name=name, exact=True).click()


def test_a_person_reviews_proves_sends_and_reads_the_report(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    picture: Picture,
    system: System,
) -> None:
    run = ready(system)
    page = open_page(address(run))
    expect(page.get_by_role("heading", name="It is your turn")).to_be_visible()
    picture(page, "dashboard_delivery_ready")

    dialog = ask(page, "Send a proof…")
    dialog.get_by_label("Test numbers").fill("+33698765432\n")
    check_axe(page)
    press(dialog, "Send the proof")
    expect(dialog.get_by_role("heading", name="Proofs so far")).to_be_visible()
    press(dialog, "Cancel")
    expect(dialog).to_have_count(0)

    dialog = ask(page, "Send…")
    expect(dialog.get_by_text(re.compile(r"\d+ recipients, \d+ parts"))).to_be_visible()
    expect(dialog.get_by_text("cannot be called back")).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_label("Comment").fill("read and fine")
    page.set_viewport_size({"width": 390, "height": 900})
    check_axe(page)
    no_sideways_scroll(page)
    press(dialog, "Send")
    expect(dialog).to_have_count(0)

    run.wait()
    report = run.report()
    assert report["to_deliver"] == report["accepted"] > 0
    expect(page.get_by_role("heading", name="Nothing is left to do")).to_be_visible()
    expect(page.get_by_text(re.compile("said Send.*read and fine"))).to_be_visible()
    check_axe(page)
    no_sideways_scroll(page)


def test_a_viewer_cannot_send_whatever_they_forge_and_a_rejection_says_why(
    open_page: OpenPage, system: System
) -> None:
    run = ready(system)
    viewer = open_page(address(run), user="viewer", tolerate=("403",))
    expect(button(viewer, "Send…")).to_be_disabled()
    expect(viewer.get_by_text("Airflow does not let you decide")).to_be_visible()
    api = f"/smsflow/api/v1/deliveries/{run.delivery_id}"
    forged = {"fingerprint": header_of(run)["fingerprint"], "comment": "mine"}
    for act in ("send", "reject"):
        assert 403 == viewer.evaluate(FORGE, [f"{api}/{act}", forged])

    page = open_page(address(run))
    dialog = ask(page, "Reject…")
    expect(dialog.get_by_role("button", name="Reject", exact=True)).to_be_disabled()
    dialog.get_by_label("Reason").fill("wrong price")
    press(dialog, "Reject")
    expect(page.get_by_text(re.compile("rejected it.*wrong price"))).to_be_visible()

    run.wait()
    assert ("rejected", 0) == (run.report()["state"], run.report()["accepted"])


def test_what_was_prepared_again_is_not_sent_before_it_is_reviewed_again(
    open_page: OpenPage, system: System
) -> None:
    changing = system.templates / "changing.sms.j2"
    note = (system.templates / "note.sms.j2").read_text(encoding="utf-8")
    changing.write_text(note, encoding="utf-8")
    run = ready(system, template="changing")
    before = header_of(run)["fingerprint"]
    page = open_page(address(run), tolerate=("409",))
    dialog = ask(page, "Send…")

    changing.write_text(f"{note}!", encoding="utf-8")
    clear_preparation(run)
    wait_until_ready(page, run, other_than=before)
    press(dialog, "Send")
    expect(dialog.get_by_text(re.compile("review it again|prepared again"))).to_be_visible()
    assert header_of(run)["decision"] is None
    press(dialog, "Cancel")
    expect(page.get_by_text(PREPARED_AGAIN).first).to_be_visible()
    expect(button(page, "Send…")).to_be_disabled()
    button(page, "Review it").click()
    press(ask(page, "Send…"), "Send")

    run.wait()
    report = run.report()
    assert report["to_deliver"] == report["accepted"] > 0


def clear_preparation(run: Run) -> None:
    run.system.airflow.client("admin").call(
        "POST",
        f"/api/v2/dags/{run.dag_id}/clearTaskInstances",
        json={
            "dry_run": False,
            "dag_run_id": run.run_id,
            "task_ids": ["sms.prepare"],
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
        },
    )


def wait_until_ready(page: Page, run: Run, *, other_than: str) -> None:
    header: dict[str, Any] = {}
    for _ in range(300):
        header = header_of(run)
        if header["state"] == "ready" and header["fingerprint"] != other_than:
            return
        page.wait_for_timeout(200)
    raise AssertionError(header.get("state"))


def test_two_who_press_send_at_once_send_once_and_are_told_so(
    open_page: OpenPage, system: System, taken: Callable[[], int]
) -> None:
    run = ready(system)
    pages = [open_page(address(run), user=name) for name in ("manager", "ann")]
    dialogs = [ask(page, "Send…") for page in pages]
    for dialog in dialogs:
        press(dialog, "Send")

    polite = [dialog.get_by_text("had decided the same already") for dialog in dialogs]
    run.wait()
    shown = [each.count() for each in polite]
    assert [0, 1] == sorted(shown)
    report = run.report()
    assert report["to_deliver"] == report["accepted"] == taken()


@pytest.fixture
def taken(simulator: RunningSimulator) -> Callable[[], int]:
    """Counts what the simulator was handed since the test began."""
    before = len(simulator.messages())
    return lambda: len(simulator.messages()) - before


def test_a_decision_that_airflow_has_not_heard_of_is_told_again(
    open_page: OpenPage, check_axe: Callable[[Page], None], system: System
) -> None:
    run = ready(system)
    record_untold(system, run)
    viewer = open_page(address(run), user="viewer", width=390)
    expect(viewer.get_by_text("Airflow has not heard of it yet")).to_be_visible()
    expect(viewer.get_by_role("heading", name="It is somebody else")).to_be_visible()
    expect(button(viewer, "Tell Airflow again")).to_have_count(0)

    page = open_page(address(run), width=390)
    expect(page.get_by_text("sends nothing twice")).to_be_visible()
    expect(page.get_by_role("heading", name="It is your turn")).to_be_visible()
    check_axe(page)
    button(page, "Tell Airflow again").click()
    run.wait()
    expect(page.get_by_text("Airflow has not heard of it yet")).to_have_count(0)
    report = run.report()
    assert report["to_deliver"] == report["accepted"] > 0


def record_untold(system: System, run: Run) -> None:
    """Record Send as a server does that is killed before it tells Airflow, some time ago."""
    decide(
        system.store,
        run.delivery_id,
        fingerprint=header_of(run)["fingerprint"],
        decision=Decision.SEND,
        decided_by="manager",
        via="dashboard",
    )
    with system.store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_approvals AS a SET decided_at = now() - interval '1 minute'"
            "  FROM smsflow_deliveries AS d WHERE d.no = a.delivery_no AND d.id = %s",
            [run.delivery_id],
        )


def test_an_answer_on_airflows_own_page_shows_here(open_page: OpenPage, system: System) -> None:
    run = ready(system)
    page = open_page(address(run))
    base = system.airflow.base_url
    page.goto(f"{base}/dags/{run.dag_id}/runs/{run.run_id}/required_actions")
    link = page.get_by_role("link", name="review of this delivery")
    expect(link.first).to_have_attribute("href", re.compile(re.escape(f"{address(run)}/review")))
    run.answer("Send")
    run.wait()

    page.goto(f"{base}{address(run)}")
    expect(page.get_by_text(re.compile("said Send"))).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing is left to do")).to_be_visible()


def test_who_started_it_may_not_send_it_where_four_eyes_are_asked_for(
    open_page: OpenPage, system: System
) -> None:
    run = ready(system, "system.four_eyes")
    page = open_page(address(run))
    expect(button(page, "Send…")).to_be_disabled()
    expect(page.get_by_text("You started or prepared this delivery")).to_be_visible()

    other = open_page(address(run), user="ann")
    press(ask(other, "Send…"), "Send")
    run.wait()
    expect(page.get_by_text(re.compile("ann said Send", re.IGNORECASE))).to_be_visible()
    assert run.report()["accepted"] > 0
