"""Reports on a real store: the sums hold at every moment of a delivery."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_provider.core.delivery.control import stop
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.errors import NotFoundError, NotSentError
from smsflow_provider.core.model import Outcome, OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, list_deliveries
from smsflow_provider.core.store.receipts import apply_all_receipts
from smsflow_provider.testing.gateway import Play, RecordingGateway
from tests.core.delivery.receiving import append, make_sending, received, settle, take
from tests.core.preparation.preparing import make_draft, person, run_prepare
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, run_send

NAMES = {
    *("delivery", "label", "kind", "state", "dag_id", "run_id", "dry_run", "created_at"),
    *("targeted", "excluded", "to_deliver", "parts", "waiting", "causes"),
    *("accepted", "delivered", "undelivered", "failed", "unknown", "cancelled", "expired"),
}
FIGURES = ("accepted", "delivered", "undelivered", "failed", "unknown", "cancelled", "expired")


def figures(result: dict[str, Any]) -> dict[str, int]:
    """Pick the figures that are not 0."""
    return {name: result[name] for name in FIGURES if result[name]}


def test_a_report_is_json_with_the_agreed_names(store: Store) -> None:
    make_prepared(store, count=2)

    result = report(store, "d1")

    assert NAMES == set(result)
    assert result == json.loads(json.dumps(result))


def test_a_draft_reports_nothing(store: Store) -> None:
    make_draft(store)
    result = report(store, "d1")

    assert ("draft", 0, {}, 0, {}) == (
        result["state"],
        result["targeted"],
        result["excluded"],
        result["waiting"],
        figures(result),
    )


def test_a_failed_preparation_reports_no_part_of_it(store: Store) -> None:
    """Half of the figures would not add up; what is wrong is in the log."""
    run_prepare(store, [person(1), person(2, name=None), person(3, phone="12")])

    result = report(store, "d1")

    assert "preparation_failed" == result["state"]
    assert (0, {}, 0) == (result["targeted"], result["excluded"], result["to_deliver"])
    check_sums(result)


def test_the_sums_hold_at_every_step_of_a_delivery(store: Store) -> None:
    delivery, ledger = make_sending(store, count=7)
    steps = [report(store, "d1")]
    kinds = [*OutcomeKind, OutcomeKind.ACCEPTED]
    for taken, kind in zip(take(ledger, 7), kinds, strict=True):
        settle(ledger, [taken], kind)
        steps.append(report(store, "d1"))
    append(store, received(delivery, 1))
    apply_all_receipts(store)
    steps.append(report(store, "d1"))
    ledger.release()

    for step in steps:
        check_sums(step)
    assert [7, 6, 5, 4, 3, 2, 2, 1, 1] == [step["waiting"] for step in steps]
    assert {
        "accepted": 2,
        "delivered": 1,
        "failed": 1,
        "unknown": 1,
        "cancelled": 1,
        "expired": 1,
    } == figures(steps[-1])


def test_causes_count_the_codes_that_ended_messages(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    script: list[Play] = [
        Outcome(message_id="", kind=OutcomeKind.FAILED, code="invalid"),
        Outcome(message_id="", kind=OutcomeKind.FAILED, code="invalid"),
        Outcome(message_id="", kind=OutcomeKind.UNKNOWN, code="timeout"),
        NotSentError("busy", code="busy"),
    ]

    result = run_send(store, RecordingGateway(script=script), connections=1)

    assert [
        {"kind": "failed", "code": "invalid", "messages": 2},
        {"kind": "unknown", "code": "timeout", "messages": 1},
    ] == result["causes"]
    assert {"accepted": 2, "failed": 2, "unknown": 1} == figures(result)


def test_a_delivery_stopped_before_it_began_says_why_nothing_left(store: Store) -> None:
    make_prepared(store, count=5)
    approve(store)
    stop(store, "d1", actor="boss")
    close_stopped(store, "d1", actor="boss")

    result = report(store, "d1")

    assert [{"kind": "cancelled", "code": "stopped", "messages": 5}] == result["causes"]
    check_sums(result)


def test_no_such_delivery_is_told_with_near_names(store: Store) -> None:
    make_draft(store, "spring_sale-sms-abcdefabcdef")

    with pytest.raises(NotFoundError) as caught:
        report(store, "spring_sale-sms-abcdefabcdeg")
    assert ["spring_sale-sms-abcdefabcdef"] == caught.value.facts["near"]


def test_deliveries_are_listed_newest_first_page_by_page(store: Store) -> None:
    for number in range(1, 6):
        make_prepared(store, count=number, delivery_id=f"d{number}")
    approve(store, "d4")
    run_send(store, RecordingGateway(), "d4")

    first = list_deliveries(store, limit=2)
    second = list_deliveries(store, limit=2, before_no=first[-1][0].no)

    assert ["d5", "d4", "d3", "d2"] == [delivery.id for delivery, _ in [*first, *second]]
    assert [0, 4, 0, 0] == [counts["accepted"] for _, counts in [*first, *second]]
    finished = list_deliveries(store, state=DeliveryState.FINISHED)
    assert ["d4"] == [delivery.id for delivery, _ in finished]
    assert [] == list_deliveries(store, state=DeliveryState.PAUSED)


def test_a_delivery_says_where_it_came_from(store: Store) -> None:
    delivery = make_draft(store)

    assert delivery == find_delivery(store, "d1")
    assert ("shop.sale", "r1", "sms", -1) == (
        delivery.origin.dag_id,
        delivery.origin.run_id,
        delivery.origin.task_id,
        delivery.origin.map_index,
    )
