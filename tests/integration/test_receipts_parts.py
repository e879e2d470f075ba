"""Reports about single parts: delivered when all are, undelivered as soon as one is for good."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.receipts import ReceivedReceipt, apply_all_receipts
from tests.core.delivery.receiving import (
    append,
    check_counters,
    make_sending,
    received,
    settle,
    state_of,
    take,
)

ACCEPTED, UNDELIVERED, DELIVERED = ReceiptKind
_NUMBERS = itertools.count()


def make_accepted(store: Store, *, count: int = 1) -> Delivery:
    delivery, ledger = make_sending(store, count=count, delivery_id=f"d{next(_NUMBERS)}")
    settle(ledger, take(ledger, count), OutcomeKind.ACCEPTED)
    ledger.release()
    return delivery


def about(
    delivery: Delivery, part: int, kind: ReceiptKind, *, parts: int = 3, code: str = ""
) -> ReceivedReceipt:
    return replace(received(delivery, 1, kind, code=code), part=part, parts=parts)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([(1, DELIVERED)], "accepted"),
        ([(1, DELIVERED), (2, DELIVERED)], "accepted"),
        ([(1, DELIVERED), (2, DELIVERED), (3, DELIVERED)], "delivered"),
        ([(3, DELIVERED), (1, DELIVERED), (3, DELIVERED)], "accepted"),
        ([(1, DELIVERED), (2, UNDELIVERED)], "undelivered"),
        ([(2, UNDELIVERED), (1, DELIVERED), (3, DELIVERED)], "undelivered"),
        ([(2, UNDELIVERED), (1, DELIVERED), (3, DELIVERED), (2, DELIVERED)], "delivered"),
        ([(1, DELIVERED), (1, ACCEPTED), (2, DELIVERED), (3, DELIVERED)], "delivered"),
        ([(1, ACCEPTED)], "accepted"),
        ([(0, DELIVERED), (1, UNDELIVERED)], "delivered"),
        ([(1, DELIVERED), (0, UNDELIVERED)], "undelivered"),
    ],
)
@pytest.mark.parametrize("is_at_once", [True, False], ids=["in one batch", "one by one"])
def test_a_message_is_what_its_parts_are_together(
    store: Store, said: list[tuple[int, ReceiptKind]], state: str, *, is_at_once: bool
) -> None:
    delivery = make_accepted(store)

    for part, kind in said:
        append(store, about(delivery, part, kind, parts=3 if part else 0))
        if not is_at_once:
            apply_all_receipts(store)
    apply_all_receipts(store)

    assert state == state_of(store, delivery, 1)
    check_counters(store, delivery)


def test_the_code_is_that_of_the_part_that_failed(store: Store) -> None:
    delivery = make_accepted(store)

    append(store, about(delivery, 2, UNDELIVERED, code="absent"))
    append(store, about(delivery, 1, DELIVERED, code="fine"))
    apply_all_receipts(store)

    with store.transaction() as connection:
        row = connection.execute("SELECT kind, code FROM smsflow_receipts").fetchone()
    assert {"kind": "undelivered", "code": "absent"} == row


def test_where_the_gateway_does_not_say_of_how_many_we_know_it(store: Store) -> None:
    """One part was prepared."""
    delivery = make_accepted(store)

    append(store, about(delivery, 1, DELIVERED, parts=0))
    apply_all_receipts(store)

    assert "delivered" == state_of(store, delivery, 1)


@given(seed=st.integers(0, 2**32), parts=st.integers(1, 6))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_order_of_reports_and_batches_does_not_matter(
    store: Store, seed: int, parts: int
) -> None:
    dice = random.Random(seed)
    delivery = make_accepted(store)
    said = {part: dice.choices(list(ReceiptKind), k=2) for part in range(1, parts + 1)}
    reports = [
        about(delivery, part, kind, parts=parts) for part, kinds in said.items() for kind in kinds
    ]
    dice.shuffle(reports)
    for report in reports:
        append(store, report)
        if dice.random() < 0.3:
            apply_all_receipts(store)
    apply_all_receipts(store)

    ranked = [max(kinds, key=list(ReceiptKind).index) for kinds in said.values()]
    expected = "undelivered" if UNDELIVERED in said_ever(said) else "accepted"
    if all(kind is DELIVERED for kind in ranked):
        expected = "delivered"
    if expected == "undelivered" and UNDELIVERED not in ranked:
        # A part was delivered after all: whether that was seen first, the order decides.
        assert state_of(store, delivery, 1) in {"undelivered", "accepted"}
    else:
        assert expected == state_of(store, delivery, 1)
    check_counters(store, delivery)


def said_ever(said: dict[int, list[ReceiptKind]]) -> set[ReceiptKind]:
    return {kind for kinds in said.values() for kind in kinds}
