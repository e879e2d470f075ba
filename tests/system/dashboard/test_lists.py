"""Templates, lists of numbers and gateways, as a person uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from smsflow_provider.core.store.number_lists import opt_outs_of
from smsflow_provider.core.store.opt_outs import add_opt_outs
from smsflow_provider.core.store.quarantine import add_quarantined
from tests.system.conftest import System
from tests.system.dashboard.looking import OpenPage, Picture, PictureBoth

pytestmark = pytest.mark.timeout(300)

HOME = "/plugin/smsflow"
PHONE = 33612345678
STOPPED = 33612345679


def _panel(page: Page, title: str) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name=title, level=2)).last


def test_a_text_is_measured_while_it_is_typed(
    system: System,
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    picture: Picture,
) -> None:
    del system
    page = open_page(f"{HOME}/templates", user="viewer")
    note = page.get_by_role("link", name="note", exact=True)
    expect(note).to_be_visible()
    picture(page, "dashboard_templates")
    note.click()
    expect(page.get_by_text("GSM-7").first).to_be_visible()
    text = page.get_by_label("Text", exact=True)
    text.fill("Żurek " * 13 + "for {{ first_name }}")
    expect(page.get_by_text("Part 2").first).to_be_visible()
    expect(page.get_by_text("UCS-2, with 70 instead of 160").first).to_be_visible()
    check_axe(page)
    picture(page, "dashboard_template")
    text.fill("Hello {{ name")
    expect(page.get_by_text("The text cannot be used")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    no_sideways_scroll(page)


def test_a_person_who_opted_out_is_found_and_taken_off_only_with_a_reason(
    system: System, open_page: OpenPage, check_axe: Callable[[Page], None]
) -> None:
    add_opt_outs(system.store, [STOPPED], source="reply")
    page = open_page(f"{HOME}/opt-outs")
    adding = _panel(page, "Add an opt-out")
    adding.get_by_label("Phone number").fill("06 12 34 56 78")
    adding.get_by_label("Country").fill("fr")
    adding.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Added. It holds from now on.")).to_be_visible()
    assert [one.source for one in opt_outs_of(system.store, PHONE)] == ["dashboard"]

    looking = _panel(page, "Look up a number")
    looking.get_by_label("Phone number").fill(f"+{STOPPED}")
    looking.get_by_role("button", name="Look up").click()
    expect(looking.get_by_text("Wrote STOP")).to_be_visible()
    assert str(STOPPED) not in page.url
    looking.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("alertdialog")
    remove = dialog.get_by_role("button", name="Remove the opt-out")
    dialog.get_by_label("Reason").fill("signed up again in the shop")
    expect(remove).to_be_disabled()
    check_axe(page)
    dialog.get_by_text("has agreed anew").click()
    remove.click()
    expect(looking.get_by_text("is on no opt-out list")).to_be_visible()
    assert opt_outs_of(system.store, STOPPED) == []


def test_a_file_with_a_wrong_line_is_mended_before_anything_is_imported(
    system: System, open_page: OpenPage, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("phone,reason\n+33612000001,by mail\n12,\n")
    page = open_page(f"{HOME}/opt-outs")
    panel = _panel(page, "Import a file")
    panel.get_by_label("File", exact=True).set_input_files(file)
    panel.get_by_role("button", name="Show what would change").click()
    expect(panel.get_by_text("line 3:")).to_be_visible()
    expect(panel.get_by_role("button", name="Import 1")).to_have_count(0)
    assert opt_outs_of(system.store, 33612000001) == []

    file.write_text("phone,reason\n+33612000001,by mail\n")
    panel.get_by_label("File", exact=True).set_input_files([])
    panel.get_by_label("File", exact=True).set_input_files(file)
    panel.get_by_role("button", name="Show what would change").click()
    panel.get_by_role("button", name="Import 1 number").click()
    expect(panel.get_by_text("1 added")).to_be_visible()
    assert [one.reason for one in opt_outs_of(system.store, 33612000001)] == ["by mail"]


def test_a_test_message_arrives_once(
    system: System, open_page: OpenPage, check_axe: Callable[[Page], None]
) -> None:
    system.simulator.forget()
    page = open_page(f"{HOME}/gateways", user="admin")
    card = page.get_by_role("article").filter(has=page.get_by_role("heading", name="sms_gateway"))
    card.get_by_role("button", name="Test the connection").click()
    expect(card.get_by_text("It works.")).to_be_visible()
    card.get_by_role("button", name="Send a test message").click()
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_label("To").fill(f"+{PHONE}")
    check_axe(page)
    dialog.get_by_role("button", name="Send one message").click()
    expect(dialog.get_by_text("The gateway has taken it.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Send one message")).to_be_disabled()
    assert [one["to"].lstrip("+") for one in system.simulator.messages()] == [str(PHONE)]


def test_the_pages_look_as_they_should(system: System, picture_both: PictureBoth) -> None:
    add_quarantined(system.store, [33612345601], reason="unreachable", source="receipts")
    add_quarantined(system.store, [33612345602], reason="left the country", source="call centre")
    picture_both(f"{HOME}/quarantine", "dashboard_quarantine", wait="Newest entries")
    picture_both(f"{HOME}/opt-outs", "dashboard_opt_outs", wait="Newest entries")
    picture_both(f"{HOME}/gateways", "dashboard_gateways", user="admin", wait="In order")
