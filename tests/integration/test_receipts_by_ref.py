"""Receipts that name the gateway's own id only: before it is known, after, and never."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.receipts import (
    ReceivedReceipt,
    apply_all_receipts,
    apply_receipts,
)
from smsflow_provider.core.store.references import (
    add_references,
    forget_old_references,
)
from tests.core.delivery.receiving import (
    append,
    check_counters,
    figures_of,
    make_sending,
    settle,
    strays_of,
    take,
)


def by_ref(
    ref: str,
    kind: ReceiptKind = ReceiptKind.DELIVERED,
    *,
    gateway: str = "sms_gateway",
    age: timedelta = timedelta(),
) -> ReceivedReceipt:
    return ReceivedReceipt(
        message_id="",
        kind=kind,
        code="",
        gateway_ref=ref,
        received_at=utc_now() - age,
        conn_type="sms_simulator",
        gateway=gateway,
    )


def know(store: Store, delivery: Delivery, *named: tuple[str, int], gateway: str = "") -> None:
    rows = [(ref, delivery.preparation, position) for ref, position in named]
    with store.transaction() as connection:
        add_references(connection, gateway or "sms_gateway", rows)


def make_accepted(store: Store, *, count: int) -> Delivery:
    delivery, ledger = make_sending(store, count=count)
    settle(ledger, take(ledger, count), OutcomeKind.ACCEPTED)
    ledger.release()
    return delivery


def make_due(store: Store) -> None:
    """Let the time pass until everything that waits is looked at again."""
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_receipts_by_ref SET retry_at = now()")


def waiting_s(store: Store) -> list[float]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT extract(epoch FROM retry_at - now())::float AS s FROM smsflow_receipts_by_ref"
            " ORDER BY no"
        ).fetchall()
    return [row["s"] for row in rows]


def test_a_receipt_by_the_gateways_id_finds_its_message(store: Store) -> None:
    delivery = make_accepted(store, count=3)
    know(store, delivery, ("a", 1), ("b", 2), ("c", 3))

    append(store, by_ref("b"), by_ref("c", ReceiptKind.UNDELIVERED))
    assert 2 == apply_all_receipts(store)

    assert {"accepted": 3, "delivered": 1, "undelivered": 1} == figures_of(store)
    assert [] == waiting_s(store)
    check_counters(store, delivery)


def test_a_receipt_that_comes_before_its_id_is_known_waits_for_it(store: Store) -> None:
    delivery = make_accepted(store, count=1)

    append(store, by_ref("a"))
    assert 1 == apply_all_receipts(store)
    assert {"accepted": 1} == figures_of(store)
    know(store, delivery, ("a", 1))
    make_due(store)
    apply_all_receipts(store)

    assert {"accepted": 1, "delivered": 1} == figures_of(store)
    assert ([], []) == (waiting_s(store), strays_of(store))


def test_a_receipt_whose_id_nobody_knows_is_looked_at_ever_more_seldom(store: Store) -> None:
    ages = [timedelta(0), timedelta(seconds=90), timedelta(days=2)]
    append(store, *[by_ref(f"r{n}", age=age) for n, age in enumerate(ages)])

    assert 3 == apply_all_receipts(store)

    assert [1, 90, 3600] == pytest.approx(waiting_s(store), abs=15)
    assert 0 == apply_receipts(store)


def test_after_seven_days_a_receipt_whose_id_nobody_knows_is_a_stray(store: Store) -> None:
    append(store, by_ref("a", age=timedelta(days=7, minutes=1)), by_ref("b", age=timedelta(6)))

    apply_all_receipts(store)

    assert [(0, "the gateway's id was never heard of")] == strays_of(store)
    assert 1 == len(waiting_s(store))


def test_the_id_of_one_gateway_says_nothing_about_that_of_another(store: Store) -> None:
    delivery = make_accepted(store, count=1)
    know(store, delivery, ("a", 1), gateway="sms_other")

    append(store, by_ref("a"))
    apply_all_receipts(store)

    assert {"accepted": 1} == figures_of(store)
    assert 1 == len(waiting_s(store))


def test_an_id_that_comes_again_means_the_later_message(store: Store) -> None:
    delivery = make_accepted(store, count=2)
    know(store, delivery, ("a", 1), ("", 1))
    know(store, delivery, ("a", 1), ("a", 2))

    append(store, by_ref("a"))
    apply_all_receipts(store)

    with store.transaction() as connection:
        rows = connection.execute("SELECT position FROM smsflow_receipts").fetchall()
    assert [2] == [row["position"] for row in rows]


def test_a_receipt_by_id_resolves_a_doubt(store: Store) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.UNKNOWN)
    ledger.release()
    know(store, delivery, ("a", 1))

    append(store, by_ref("a", ReceiptKind.ACCEPTED))
    apply_all_receipts(store)

    assert {"accepted": 1} == figures_of(store)


@pytest.mark.parametrize("changed", [{"gateway_ref": ""}, {"gateway": ""}])
def test_a_receipt_about_nothing_is_not_stored(store: Store, changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="names a message id"):
        append(store, by_ref("ok"), replace(by_ref("a"), **changed))

    assert [] == waiting_s(store)


def test_ids_are_forgotten_when_no_receipt_can_need_them(store: Store) -> None:
    delivery = make_accepted(store, count=1)
    know(store, delivery, ("a", 1))

    assert 0 == forget_old_references(store)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET ended_at = now() - interval '9 days'")

    assert 1 == forget_old_references(store)
