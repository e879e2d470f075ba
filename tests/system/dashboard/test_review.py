"""The review of a delivery, as a person walks through it before saying Send."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from tests.prepared_delivery import make_prepared
from tests.system.conftest import System
from tests.system.dashboard.looking import OpenPage, PictureBoth

pytestmark = pytest.mark.timeout(300)

PHONE = "+33600000002"
LONG = "Bonjour Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}, " + "les soldes commencent demain. " * 4
FIGURES = {
    "samples": {"first": [1], "longest": 2, "encodings": {"gsm7": 1, "ucs2": 2}},
    "encodings": {"gsm7": 11, "ucs2": 1},
    "by_parts": {"1": 11, "2": 1},
    "senders": {"ACME": 12},
    "languages": {"fr": 12},
    "regions": {"FR": {"messages": 12, "parts": 13}},
    "details": [{"reason": "invalid_number", "detail": "too_short", "recipients": 1}],
    "cost": {
        "currency": "EUR",
        "as_of": "2026-11-01",
        "total": "0.585000",
        "is_complete": True,
        "countries": [
            {"country": "FR", "messages": 12, "parts": 13, "prices": ["0.045"], "cost": "0.585000"}
        ],
        "missing": [],
        "rates": [{"country": "FR", "sender": "*", "price": "0.045"}],
    },
}


@pytest.fixture
def delivery(system: System) -> Delivery:
    """A delivery of twelve messages, one of them long and in UCS-2, and three exclusions."""
    return make_reviewed(system.store)


def make_reviewed(store: Store) -> Delivery:
    delivery = make_prepared(store, count=12, delivery_id=f"d-{uuid4().hex[:12]}")
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET figures = figures || %s, parts = 13 WHERE no = %s",
            [Jsonb(FIGURES), delivery.no],
        )
        connection.execute(
            "UPDATE smsflow_messages SET body = %s, encoding = 'ucs2', parts = 2, language = 'fr'"
            " WHERE preparation = %s AND position = 2",
            [LONG, delivery.preparation],
        )
    return delivery


def address(delivery: Delivery) -> str:
    return f"/plugin/smsflow/deliveries/{delivery.id}/review"


def noted(store: Store, delivery: Delivery) -> list[Any]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT actor, action, facts FROM smsflow_audit WHERE delivery_no = %s", [delivery.no]
        ).fetchall()
    return [tuple(row.values()) for row in rows]


def test_a_person_looks_at_who_what_and_why_and_every_whole_number_is_noted(
    open_page: OpenPage,
    check_axe: Callable[[Page], None],
    no_sideways_scroll: Callable[[Page], None],
    system: System,
    delivery: Delivery,
) -> None:
    page = open_page(address(delivery))
    for figure in ("Targeted", "To deliver", "Excluded", "Parts", "Cost"):
        expect(page.locator("dt", has_text=re.compile(f"^{figure}$")).first).to_be_visible()
    expect(page.get_by_text("€0.59").first).to_be_visible()

    page.get_by_role("button", name="Invalid number").click()
    expect(page).to_have_url(re.compile("reason=invalid_number"))
    expect(page.get_by_role("cell", name="x1")).to_be_visible()
    expect(page.get_by_role("cell", name="x2")).to_be_visible()

    sample = page.get_by_role("group", name=re.compile("arrow keys"))
    sample.focus()
    expect(sample.get_by_text("Hello 1")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(sample.get_by_text("Part 2 of 2")).to_be_visible()
    expect(sample.get_by_text(re.compile("goes as UCS-2: ë"))).to_be_visible()

    sample.get_by_role("button", name="Show the number").click()
    expect(sample.get_by_text(PHONE)).to_be_visible()
    assert [("manager", "unmasked", {"positions": [2]})] == noted(system.store, delivery)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(PHONE)).to_have_count(0)

    find(page, "r7")
    expect(sample.get_by_text("Hello 7")).to_be_visible()
    find(page, "+33699999999")
    expect(page.get_by_text(re.compile("x3 gets no text: Opted out"))).to_be_visible()
    assert "33699999999" not in page.url
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        check_axe(page)
        no_sideways_scroll(page)


def find(page: Page, person: str) -> None:
    page.get_by_label("Find a recipient").fill(person)
    page.get_by_role("button", name="Find", exact=True).click()


def test_a_viewer_looks_and_sees_no_whole_number(open_page: OpenPage, delivery: Delivery) -> None:
    page = open_page(address(delivery), user="viewer", language="fr")

    expect(page.get_by_text("Bonjour Zoë").or_(page.get_by_text("Hello 1")).first).to_be_visible()
    expect(page.get_by_role("button", name="Afficher le numéro")).to_have_count(0)


def test_the_review_in_pictures(picture_both: PictureBoth, delivery: Delivery) -> None:
    picture_both(address(delivery), "dashboard_review", wait="What they read")
