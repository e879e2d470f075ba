"""The page of a review: what stands on it in each state, and that its figures add up."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.delivery.proof import make_proof
from smsflow_provider.core.delivery.proof_request import Proof
from smsflow_provider.core.model import Exclusion, Origin
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.audience_files import register_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.plugins.api.pages import render_page
from smsflow_provider.plugins.api.words import REASONS
from tests.core.preparation.preparing import SIMULATOR
from tests.docs.tables import comments_of
from tests.prepared_delivery import make_prepared
from tests.review_page import rows_of, tiles_of


@pytest.fixture
def delivery(store: Store) -> Delivery:
    """A delivery of seven messages that waits for its review; three people are left out."""
    return make_prepared(store, count=7, delivery_id=f"d-{uuid4().hex}")


def page_of(store: Store, delivery: Delivery) -> str:
    current = find_delivery(store, delivery.id)
    asked = "/answer" if current.state is DeliveryState.READY else None
    return render_page(store, current, answer_url=asked)


def change(store: Store, delivery: Delivery, **columns: object) -> None:
    """Write columns of the delivery, past the guard of its moves."""
    setting = ", ".join(f"{name} = %s" for name in columns)
    values = [json.dumps(one) if isinstance(one, dict) else one for one in columns.values()]
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER ALL")
        connection.execute(
            f"UPDATE smsflow_deliveries SET {setting} WHERE no = %s".encode(),  # noqa: S608  ours
            [*values, delivery.no],
        )
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER ALL")


def note(store: Store, delivery: Delivery, level: str, problem: str) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_log (delivery_no, preparation, level, event, problem, facts)"
            " VALUES (%s, %s, %s, 'test', %s, '{}')",
            (delivery.no, delivery.preparation, level, problem),
        )


def test_the_reasons_are_told_in_the_words_of_the_documentation() -> None:
    documented = {Exclusion[name].value: words for name, words in comments_of(Exclusion)}

    assert documented == REASONS


def test_the_waterfall_explains_each_reason_and_adds_up(store: Store, delivery: Delivery) -> None:
    page = page_of(store, delivery)

    assert [
        ["targeted", "", "10"],
        ["invalid number", "−2", "8"],
        ["opted out", "−1", "7"],
        ["to deliver", "", "7"],
    ] == rows_of(page, "Who gets nothing, and why")
    assert REASONS["opted_out"] in page
    assert REASONS["pressure"] not in page


STEPS = [
    {"words": "region is <Ouest>", "count": 40, "removed": 160},
    {"words": "not: city is Lyon", "count": 40, "removed": 0},
]


def build(store: Store, delivery: Delivery, **made: object) -> None:
    """Say how the file of the delivery's audience was made."""
    file = AudienceReference(uri=f"file:///{delivery.id}.parquet", count=10, fingerprint="f" * 64)
    register_file(store, file, by=Origin(dag_id="shop.rules", task_id="people"), made=made)
    change(store, delivery, audience=file.as_dict())


def test_the_page_tells_how_the_people_were_found(store: Store, delivery: Delivery) -> None:
    build(store, delivery, source="rules", label="crm", dimension="d", everyone=200, steps=STEPS)
    page = page_of(store, delivery)

    assert "By rules of the dimension d on crm" in page
    assert "by people of shop.rules" in page
    assert [
        ["everyone", "", "200"],
        ["region is &lt;Ouest&gt;", "−160", "40"],
        ["not: city is Lyon", "0", "40"],
    ] == rows_of(page, "How they were found")


def test_bad_lines_that_were_left_out_are_told_where_send_is_pressed(
    store: Store, delivery: Delivery
) -> None:
    build(store, delivery, source="file", label="people.csv", bad_lines=1)
    page = page_of(store, delivery)

    assert "From a file: people.csv" in page
    assert "1 bad line left out" in page


def test_people_somebody_else_wrote_are_told_of_no_further(
    store: Store, delivery: Delivery
) -> None:
    assert "How they were found" not in page_of(store, delivery)


@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_has_a_page_that_says_what_it_means(
    store: Store, delivery: Delivery, state: DeliveryState
) -> None:
    change(store, delivery, state=state.value)
    page = page_of(store, delivery)

    assert f"State: <b>{state.value.replace('_', ' ')}</b> <span" in page
    assert (state is DeliveryState.READY) is ("Send or reject 7 messages" in page)


def test_a_preparation_that_failed_shows_its_errors_and_no_figure(
    store: Store, delivery: Delivery
) -> None:
    note(store, delivery, "warning", "Dearer than usual")
    note(store, delivery, "error", "the audience has no column 'naem'")
    change(store, delivery, state="preparation_failed", fingerprint=None, targeted=0)
    page = page_of(store, delivery)

    assert page.index("Nothing can be sent: 1 error to mend") < page.index("Dearer than usual")
    assert "the audience has no column &#39;naem&#39;" in page
    for figure in ("Targeted", "To deliver", "Everybody gets a text", "What they read", "Send or"):
        assert figure not in page


def test_warnings_stand_before_the_figures_and_notes_behind(
    store: Store, delivery: Delivery
) -> None:
    note(store, delivery, "info", "Prepared on a Sunday")
    note(store, delivery, "warning", "Dearer than <usual>")
    page = page_of(store, delivery)

    assert page.index("1 warning: look at this before you press Send") < page.index("Targeted")
    assert page.index("Dearer than &lt;usual&gt;") < page.index("Targeted")
    assert page.index("What they read") < page.index("Prepared on a Sunday")


def test_nobody_to_text_is_said_and_breaks_nothing(store: Store, delivery: Delivery) -> None:
    change(store, delivery, to_deliver=0, targeted=0, excluded=0, parts=0, figures={})
    page = page_of(store, delivery)

    assert "There is nobody in the audience." in page
    assert "There is no message." in page


def test_a_preparation_that_fell_silent_is_told_as_such(store: Store, delivery: Delivery) -> None:
    change(store, delivery, state="preparing", fingerprint=None)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_preparations SET progressed_at = now() - interval '3 minutes',"
            " begun_at = now() - interval '4 minutes', progress = %s WHERE no = %s",
            (json.dumps({"step": "texts", "targeted": 10, "texts": 4}), delivery.preparation),
        )
    page = page_of(store, delivery)

    assert "Nothing was heard of it for 3 min" in page
    assert [["numbers read", "done"], ["rules and lists", "done"], ["texts written", "4"]] == (
        rows_of(page, "How far the preparation is")[:3]
    )


def prove(store: Store, delivery: Delivery) -> Delivery:
    proof = Proof(key=uuid4().hex, to=(33698765432,), recipients=("r1",), random=0, picks=())
    return make_proof(store, delivery.id, proof, author="vera", dialect=SIMULATOR)


def test_proofs_are_listed_with_their_author_and_are_in_no_figure(
    store: Store, delivery: Delivery
) -> None:
    before = rows_of(page_of(store, delivery), "Who gets nothing, and why")
    proof = prove(store, delivery)
    page = page_of(store, delivery)

    assert f'<a href="{proof.id}">PROOF #1</a><small>by vera' in page
    assert before == rows_of(page, "Who gets nothing, and why")
    assert "of a former preparation" not in page
    assert "98765432" not in page


def test_a_proof_of_a_former_preparation_is_told_apart(store: Store, delivery: Delivery) -> None:
    prove(store, delivery)
    make_prepared(store, count=5, delivery_id=delivery.id)

    assert "of a former preparation" in page_of(store, delivery)


def cost(**changed: Any) -> dict[str, Any]:
    country = {"country": "FR", "messages": 7, "parts": 7, "prices": ["0.045"], "cost": "0.315000"}
    return {
        "currency": "EUR",
        "as_of": "2026-11-01",
        "total": "0.315000",
        "is_complete": True,
        "countries": [country],
        "missing": [],
        "rates": [{"country": "FR", "sender": "*", "price": "0.045"}],
        **changed,
    }


def test_the_cost_is_told_by_country_in_total_and_beside_the_button(
    store: Store, delivery: Delivery
) -> None:
    figures = {**delivery.figures, "cost": cost()}
    change(store, delivery, figures=figures)
    page = page_of(store, delivery)

    assert [["FR", "7", "7", "0.045", "0.32 EUR"], ["all", "7", "7", "", "0.32 EUR"]] == rows_of(
        page, "Cost by country"
    )
    assert "<span>7 messages · 0.32 EUR</span>" in page


def test_who_has_no_price_is_counted_and_the_total_is_the_least(
    store: Store, delivery: Delivery
) -> None:
    missing = [{"country": "BR", "messages": 2, "parts": 2}]
    change(
        store, delivery, figures={"excluded": {}, "cost": cost(is_complete=False, missing=missing)}
    )
    page = page_of(store, delivery)

    assert "No price for 2 messages to BR: the delivery costs more than this." in page
    assert "at least 0.32 EUR" == rows_of(page, "Cost by country")[-1][-1]
    assert "<span>7 messages · at least 0.32 EUR</span>" in page


def test_many_countries_are_folded_up_and_all_are_there(store: Store, delivery: Delivery) -> None:
    countries = [
        {"country": f"X{n}", "messages": 1, "parts": 1, "prices": ["0.1"], "cost": "0.100000"}
        for n in range(35)
    ]
    change(store, delivery, figures={"excluded": {}, "cost": cost(countries=countries)})
    page = page_of(store, delivery)

    assert "<summary>5 more</summary>" in page
    assert all(f"<td>X{n}</td>" in page for n in range(35))
    assert page.count("<table>") == page.count("</table>")


def test_the_page_says_how_the_messages_leave(store: Store, delivery: Delivery) -> None:
    sending = {
        "priority": 3,
        "spread": {"over_s": 14_400},
        "waves": {"shares": [0.3], "wait_s": 600, "ask": True},
        "pause_when": {"failed": 0.05, "opted_out": 0.01, "after": 100},
        "doubt": "at_least_once",
        "failover": {"gateway": "second", "countries": ["BE"]},
    }
    gates = [
        {"conn_id": "sms_gateway", "parts_per_s": 10.0, "sender_parts_per_s": 0.0},
        {"conn_id": "second", "parts_per_s": 0.0, "sender_parts_per_s": 2.5},
    ]
    template = {**delivery.template, "settings": {"sending": sending}}
    leaving = {"gateways": gates, "workers": 4, "shortest_s": 7200.0}
    figures = {**delivery.figures, "leaving": leaving}
    change(store, delivery, template=template, figures=figures, validity_s=86_400)

    page = page_of(store, delivery)
    told = dict(rows_of(page, "How it leaves"))

    assert {
        "gateway": "sms_gateway, at most 10 parts/s",
        "second gateway": "second, 2.5 parts/s for each sender",
        "takes at least": "2.0 h",
        "spread": "evenly over 4.0 h",
        "waves": "the first 3, then the rest",
        "validity": "24.0 h",
        "pauses itself": "above 5 % failed or above 1 % opted out",
        "in doubt": "sent again after 15 min",
        "send tasks": "4",
    } == told
    assert "a person must resume" in page
    assert "for BE from the start" in page
    assert "2.0 h" == tiles_of(page)["Takes at least"]


def test_without_settings_the_page_says_what_holds_then(store: Store, delivery: Delivery) -> None:
    told = dict(rows_of(page_of(store, delivery), "How it leaves"))

    assert "sms_gateway" == told["gateway"]
    assert "above 25 % failed" == told["pauses itself"]
    assert "never sent again by itself" == told["in doubt"]
    assert not {"waves", "spread", "takes at least", "second gateway"} & set(told)


def test_a_delivery_that_is_held_says_why_on_its_page(store: Store, delivery: Delivery) -> None:
    change(store, delivery, state="paused", pause_reason="wave", wave=1, wave_until=3)

    page = page_of(store, delivery)

    assert "a wave has ended" in page
    assert "wave 1: up to message 3" in page
