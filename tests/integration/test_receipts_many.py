"""Ten thousand receipts, shuffled, doubled, and half of them early, give the right states."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from smsflow_provider.core.model import OutcomeKind, ReceiptKind
from smsflow_provider.core.store.archive import archive
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.receipts import (
    ReceivedReceipt,
    apply_all_receipts,
    resolve_proven,
)
from smsflow_provider.core.store.references import add_references
from smsflow_provider.testing.gateway import RecordingGateway
from tests.core.delivery.receiving import (
    NOON,
    append,
    check_counters,
    figures_of,
    make_sending,
    received,
    settle,
    states_of,
    strays_of,
    take,
)
from tests.prepared_delivery import approve, make_prepared
from tests.sending import run_send

ACCEPTED, UNDELIVERED, DELIVERED = ReceiptKind
COUNT = 2500

#: What a gateway says about the messages whose numbers leave this rest.
SAID = [[ACCEPTED, DELIVERED], [DELIVERED, ACCEPTED], [UNDELIVERED, ACCEPTED], [ACCEPTED, ACCEPTED]]
STATES = ["delivered", "delivered", "undelivered", "accepted"]


@pytest.mark.parametrize("is_by_ref", [False, True], ids=["by our id", "by the gateway's"])
def test_ten_thousand_receipts_give_the_right_states(store: Store, *, is_by_ref: bool) -> None:
    """Two a message, each twice; half of all come before the outcomes are written."""
    dice = random.Random(11)
    delivery, ledger = make_sending(store, count=COUNT)
    taken = [one for _ in range(3) for one in take(ledger, 1000)]
    assert COUNT == len(taken)
    receipts = [
        named(delivery, position, kind, is_by_ref=is_by_ref)
        for position in range(1, COUNT + 1)
        for kind in SAID[position % 4] * 2
    ]
    dice.shuffle(receipts)
    assert 10_000 == len(receipts)

    let_in(store, receipts[:5000], dice)
    ledger_half = [one for one in taken if one.position % 2]
    settle(ledger, ledger_half, OutcomeKind.ACCEPTED)
    settle(ledger, [one for one in taken if not one.position % 2], OutcomeKind.UNKNOWN)
    if is_by_ref:
        learn(store, delivery)
    let_in(store, receipts[5000:], dice)
    ledger.release()
    apply_all_receipts(store)
    resolve_proven(store)

    expected = {"delivered": COUNT // 2, "undelivered": COUNT // 4, "accepted": COUNT // 4}
    assert expected == dict(states_of(store, delivery))
    assert {
        "accepted": COUNT,
        "delivered": COUNT // 2,
        "undelivered": COUNT // 4,
    } == figures_of(store)
    assert [] == strays_of(store)
    check_counters(store, delivery)


def named(
    delivery: Delivery, position: int, kind: ReceiptKind, *, is_by_ref: bool
) -> ReceivedReceipt:
    one = received(delivery, position, kind, ref=f"g{position}")
    return replace(one, message_id="", gateway="sms_gateway") if is_by_ref else one


def learn(store: Store, delivery: Delivery) -> None:
    rows = [(f"g{n}", delivery.preparation, n) for n in range(1, COUNT + 1)]
    with store.transaction() as connection:
        add_references(connection, "sms_gateway", rows)
        connection.execute("UPDATE smsflow_receipts_by_ref SET retry_at = now()")


def let_in(store: Store, receipts: Sequence[ReceivedReceipt], dice: random.Random) -> None:
    """Store them in groups, and apply now and then."""
    rest = list(receipts)
    while rest:
        size = dice.randrange(1, 800)
        append(store, *rest[:size])
        del rest[:size]
        if dice.random() < 0.5:
            apply_all_receipts(store, batch_size=dice.choice([100, 5000]))


def test_a_receipt_is_applied_however_late_it_comes(store: Store) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_marks SET marked_at = now() - interval '7 days'")
        connection.execute("UPDATE smsflow_outcomes SET settled_at = now() - interval '7 days'")

    append(store, replace(received(delivery, 1), received_at=NOON + timedelta(days=7)))
    apply_all_receipts(store)

    assert {"accepted": 1, "delivered": 1} == figures_of(store)


def test_a_receipt_for_an_archived_message_is_a_stray_that_says_so(store: Store) -> None:
    make_prepared(store, count=1)
    delivery = approve(store)
    run_send(store, RecordingGateway())
    archive(store, "d1", folder=None)

    append(store, received(delivery, 1))
    assert 1 == apply_all_receipts(store)

    assert [(1, "its messages were archived")] == strays_of(store)


def test_a_receipt_for_an_attempt_before_a_refused_one_is_believed(store: Store) -> None:
    """The first was in doubt, the second was refused: the first did leave."""
    delivery, ledger = make_sending(store, count=1)
    (first,) = take(ledger, 1)
    settle(ledger, [first], OutcomeKind.UNKNOWN)
    ledger.release()
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO smsflow_marks (preparation, position, attempt, epoch)"
            " SELECT preparation, position, 1, epoch FROM smsflow_marks"
        )
        connection.execute(
            "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind)"
            " SELECT preparation, position, 1, 'failed' FROM smsflow_outcomes"
        )
        connection.execute("UPDATE smsflow_chunks SET unknown = 0, failed = 1")

    append(store, received(delivery, 1))
    apply_all_receipts(store)

    assert {"accepted": 1, "delivered": 1} == figures_of(store)
    assert [] == strays_of(store)
    check_counters(store, delivery)
