"""Receipts on a real store: early, late, twice, out of order, stray, and all at once."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from dataclasses import replace

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_provider.core.delivery.control import stop
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.delivery.wait import wait_for_receipts
from smsflow_provider.core.model import OutcomeKind, ReceiptKind, message_id_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.keys import read_keys
from smsflow_provider.core.store.receipts import (
    apply_all_receipts,
    apply_receipts,
    resolve_proven,
)
from smsflow_provider.receiver.stored import applying, make_stored_app
from smsflow_provider.testing.gateway import RecordingGateway
from smsflow_provider.testing.serving import ServedApp
from tests.core.delivery.receiving import (
    append,
    check_counters,
    figures_of,
    make_sending,
    received,
    settle,
    slip_past,
    state_of,
    states_of,
    strays_of,
    take,
    until_waiting,
)
from tests.core.delivery.storm import Storm
from tests.prepared_delivery import approve, make_prepared
from tests.sending import check_sums, put_again, run_send

ACCEPTED, UNDELIVERED, DELIVERED = ReceiptKind

#: Receipts of one message in the order of their arrival, and what is known in the end.
ORDERS = [
    ([ACCEPTED], "accepted"),
    ([ACCEPTED, DELIVERED], "delivered"),
    ([DELIVERED, ACCEPTED], "delivered"),
    ([ACCEPTED, UNDELIVERED], "undelivered"),
    ([UNDELIVERED, DELIVERED], "delivered"),
    ([DELIVERED, UNDELIVERED], "delivered"),
    ([DELIVERED, DELIVERED, DELIVERED], "delivered"),
    ([UNDELIVERED, ACCEPTED, UNDELIVERED], "undelivered"),
]


@pytest.mark.parametrize("is_early", [True, False], ids=["before the outcome", "after it"])
@pytest.mark.parametrize("outcome", [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN])
@pytest.mark.parametrize("is_at_once", [True, False], ids=["in one batch", "one by one"])
def test_receipts_in_any_order_say_the_same(
    store: Store, outcome: OutcomeKind, *, is_early: bool, is_at_once: bool
) -> None:
    """One message for each order, and one without a receipt."""
    delivery, ledger = make_sending(store, count=len(ORDERS) + 1)
    taken = take(ledger, len(ORDERS) + 1)
    if not is_early:
        settle(ledger, taken, outcome)
    for turn in range(3):
        for position, (kinds, _) in enumerate(ORDERS, start=1):
            append(store, *[received(delivery, position, kind) for kind in kinds[turn : turn + 1]])
        if not is_at_once:
            apply_all_receipts(store)
    apply_all_receipts(store)
    if is_early:
        settle(ledger, taken, outcome)
    ledger.release()
    resolve_proven(store, delivery.preparation)

    found = state_of_all(store, delivery)
    assert [state for _, state in ORDERS] == [found[n] for n in range(1, len(ORDERS) + 1)]
    assert outcome.value == found[len(ORDERS) + 1]
    assert [] == strays_of(store)
    check_counters(store, delivery)


def test_a_receipt_after_the_end_still_counts(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    approve(store)
    run_send(store, RecordingGateway())

    append(store, received(delivery, 1), received(delivery, 2, UNDELIVERED, code="absent"))
    result = report(store, "d1") if apply_all_receipts(store) == 2 else {}

    assert ("finished", 3, 1, 1) == (
        result["state"],
        result["accepted"],
        result["delivered"],
        result["undelivered"],
    )
    check_sums(result)


def test_a_receipt_of_a_second_attempt_fits_while_that_is_under_way(store: Store) -> None:
    """The first attempt was not taken; the receipt is faster than the second one's answer."""
    delivery, ledger = make_sending(store, count=1)
    taken = take(ledger, 1)
    settle(ledger, taken, OutcomeKind.NOT_SENT)
    put_again(ledger, *taken)
    again = take(ledger, 1)

    append(store, received(delivery, 1))
    apply_all_receipts(store)
    settle(ledger, again, OutcomeKind.ACCEPTED)
    ledger.release()

    assert [] == strays_of(store)
    assert {"accepted": 1, "delivered": 1} == figures_of(store)
    check_counters(store, delivery)


def test_a_receipt_that_came_before_the_doubt_ends_it_when_receipts_are_waited_for(
    store: Store,
) -> None:
    """The answer was lost, the receipt was not, and both were written in the same moment."""
    delivery, ledger = make_sending(store, count=2)
    taken = take(ledger, 2)
    settle(ledger, taken, OutcomeKind.UNKNOWN)
    slip_past(store, delivery, 1)
    ledger.release()
    assert 2 == figures_of(store)["unknown"]

    wait_for_receipts(store, "d1", within_s=0.0, sleep=_never)

    assert {"accepted": 1, "delivered": 1, "unknown": 1} == figures_of(store)
    assert 0 == resolve_proven(store)


def test_a_receipt_that_came_before_the_answer_was_lost_leaves_no_doubt(store: Store) -> None:
    delivery, ledger = make_sending(store, count=2)
    taken = take(ledger, 2)
    append(store, received(delivery, 1))
    apply_all_receipts(store)
    settle(ledger, taken, OutcomeKind.UNKNOWN)
    ledger.release()

    assert {"accepted": 1, "delivered": 1, "unknown": 1} == figures_of(store)


def _never(_seconds: float) -> None:
    raise AssertionError("nothing to wait for")


def test_doubts_of_all_deliveries_are_resolved_in_one_go(store: Store) -> None:
    for delivery_id in ("d1", "d2"):
        delivery, ledger = make_sending(store, count=1500, delivery_id=delivery_id)
        settle(ledger, take(ledger, 1000), OutcomeKind.ACCEPTED)
        taken = take(ledger, 500)
        settle(ledger, taken, OutcomeKind.UNKNOWN)
        slip_past(store, delivery, 1001, 1200, 1500)
        ledger.release()

    assert 6 == resolve_proven(store)
    for delivery_id in ("d1", "d2"):
        assert {"accepted": 1003, "delivered": 3, "unknown": 497} == figures_of(store, delivery_id)


def test_a_message_that_never_left_gets_no_receipt(store: Store) -> None:
    delivery, ledger = make_sending(store, count=6)
    settle(ledger, take(ledger, 1), OutcomeKind.FAILED)
    settle(ledger, take(ledger, 1), OutcomeKind.NOT_SENT)
    settle(ledger, take(ledger, 1), OutcomeKind.CANCELLED)
    before = figures_of(store)

    append(store, *[received(delivery, position) for position in (1, 2, 3, 4, 7, 0)])
    assert 6 == apply_all_receipts(store)
    ledger.release()

    assert before == figures_of(store)
    not_taken = "the message was recorded as not taken by the gateway"
    never_left = "the message was never handed over"
    assert [(1, not_taken), (2, not_taken), (3, not_taken)] == strays_of(store)[:3]
    assert [(4, never_left), (7, never_left), (0, never_left)] == strays_of(store)[3:]
    assert {"failed", "sending", "cancelled", "prepared"} == set(states_of(store, delivery))


def test_what_a_stop_cancelled_gets_no_receipt(store: Store) -> None:
    delivery = make_prepared(store, count=2)
    approve(store)
    stop(store, "d1", actor="boss")
    close_stopped(store, "d1", actor="boss")

    append(store, received(delivery, 1))
    apply_all_receipts(store)

    assert [(1, "the message was never handed over")] == strays_of(store)
    assert {"cancelled": 2} == figures_of(store)


def test_a_receipt_of_nothing_of_ours_is_kept_as_a_stray(store: Store) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()
    good = received(delivery, 1)
    ids = [
        message_id_of(delivery.no + 1, delivery.preparation, 1),
        message_id_of(delivery.no, delivery.preparation + 1, 1),
        message_id_of(delivery.no, delivery.preparation, 2**31),
        message_id_of(delivery.no, delivery.preparation, 16**15 - 1),
        message_id_of(16**15 - 1, 16**15 - 1, 16**15 - 1),
    ]

    append(store, *[replace(good, message_id=one) for one in ids])
    assert 5 == apply_all_receipts(store)

    assert ["no such message"] * 5 == [problem for _, problem in strays_of(store)]
    assert {"accepted": 1} == figures_of(store)


def test_a_receipt_for_another_delivery_does_not_hide_the_right_one(store: Store) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()
    stranger = message_id_of(delivery.no + 7, delivery.preparation, 1)

    append(
        store,
        replace(received(delivery, 1, DELIVERED), message_id=stranger),
        received(delivery, 1, UNDELIVERED),
    )
    apply_all_receipts(store)

    assert {"accepted": 1, "undelivered": 1} == figures_of(store)
    assert [(1, "no such message")] == strays_of(store)


def test_an_id_of_a_replaced_preparation_is_a_stray(store: Store) -> None:
    old = make_prepared(store, count=1)
    new = make_prepared(store, count=1)
    approve(store)
    run_send(store, RecordingGateway())

    append(store, received(old, 1), received(new, 1))
    apply_all_receipts(store)

    assert [(1, "the message was never handed over")] == strays_of(store)
    assert {"accepted": 1, "delivered": 1} == figures_of(store)


def test_a_receipt_keeps_the_code_and_the_reference_it_knows(store: Store) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()

    append(store, received(delivery, 1, ACCEPTED, ref="smsc-1"))
    apply_all_receipts(store)
    append(store, received(delivery, 1, UNDELIVERED, code="absent"))
    apply_all_receipts(store)

    with store.transaction() as connection:
        row = connection.execute("SELECT * FROM smsflow_message_states").fetchone()
    assert row is not None
    assert ("undelivered", "absent", "smsc-1") == (row["state"], row["code"], row["gateway_ref"])


def test_of_a_group_with_a_strange_id_nothing_is_stored(store: Store) -> None:
    delivery = make_prepared(store, count=1)

    with pytest.raises(ValueError, match="not a message id"):
        append(store, received(delivery, 1), replace(received(delivery, 1), message_id="x-y"))

    assert 0 == apply_receipts(store)


def test_the_oldest_receipts_are_applied_first(store: Store) -> None:
    delivery, ledger = make_sending(store, count=5)
    settle(ledger, take(ledger, 5), OutcomeKind.ACCEPTED)
    ledger.release()
    append(store, *[received(delivery, position) for position in (5, 4, 3, 2, 1)])

    assert 2 == apply_receipts(store, limit=2)

    delivered = [n for n in range(1, 6) if state_of(store, delivery, n) == "delivered"]
    assert [4, 5] == delivered
    assert 3 == apply_receipts(store)
    assert 0 == apply_receipts(store)


def test_two_appliers_at_once_lose_nothing_and_double_nothing(store: Store) -> None:
    delivery, ledger = make_sending(store, count=2500)
    for _ in range(3):
        settle(ledger, take(ledger, 1000), OutcomeKind.ACCEPTED)
    ledger.release()
    random_source = random.Random(7)
    receipts = [
        received(delivery, position, kind)
        for position in range(1, 2501)
        for kind in random_source.choices(list(ReceiptKind), k=2)
    ]
    random_source.shuffle(receipts)
    append(store, *receipts)
    applied: list[int] = []

    def work() -> None:
        applied.append(_apply_until_empty(store))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert 5000 == sum(applied)
    assert [] == strays_of(store)
    check_counters(store, delivery)


def _apply_until_empty(store: Store) -> int:
    return apply_all_receipts(store, batch_size=150)


def test_an_applier_that_meets_a_senders_locks_tries_again(store: Store) -> None:
    delivery, ledger = make_sending(store, count=2000)
    for _ in range(2):
        settle(ledger, take(ledger, 1000), OutcomeKind.ACCEPTED)
    ledger.release()
    append(store, received(delivery, 1), received(delivery, 1500))
    lock = "SELECT FROM smsflow_chunks WHERE chunk = %s FOR UPDATE"

    with store.transaction() as other:
        other.execute(lock, (1,))
        thread = threading.Thread(target=apply_all_receipts, args=(store,))
        thread.start()
        until_waiting(store)
        other.execute(lock, (0,))
    thread.join(30)

    assert {"accepted": 2000, "delivered": 2} == figures_of(store)


def test_receipts_are_waited_for_until_all_are_in(store: Store) -> None:
    delivery, ledger = make_sending(store, count=2)
    settle(ledger, take(ledger, 2), OutcomeKind.ACCEPTED)
    ledger.release()
    append(store, received(delivery, 1))
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        append(store, received(delivery, 2, UNDELIVERED))

    assert wait_for_receipts(store, "d1", within_s=5.0, sleep=sleep, monotonic=lambda: 0.0)
    assert 1 == len(pauses)


def test_receipts_that_do_not_come_are_not_waited_for_for_ever(store: Store) -> None:
    _, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    ledger.release()
    clock = iter(range(100))

    is_in = wait_for_receipts(
        store, "d1", within_s=3, sleep=lambda _: None, monotonic=lambda: float(next(clock))
    )

    assert not is_in
    assert 4 == next(clock)


def test_the_receiver_stores_and_applies_what_a_gateway_reports(store: Store) -> None:
    delivery, ledger = make_sending(store, count=2)
    settle(ledger, take(ledger, 2), OutcomeKind.ACCEPTED)
    ledger.release()
    message_id = message_id_of(delivery.no, delivery.preparation, 2)
    token = Signer(read_keys(store)).token_of(message_id)

    with ServedApp(make_stored_app(store)) as served:
        url = f"{served.url}/receipts/sms_kannel"
        given = {"m": message_id, "type": "1"}
        answers = [
            httpx.get(url, params={**given, "t": each}).status_code for each in (token, "x" * 24)
        ]

    assert [200, 403] == answers
    asyncio.run(_apply_aside(store))
    assert {"accepted": 2, "delivered": 1} == figures_of(store)


async def _apply_aside(store: Store) -> None:
    """Apply in the background as the receiver does, with a store that is away at first."""
    found = iter([None, Store("host=127.0.0.1 port=1 connect_timeout=1")])
    async with applying(lambda: next(found, store)), asyncio.timeout(30):
        while "delivered" not in await asyncio.to_thread(figures_of, store):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


_NUMBERS = itertools.count()


@given(seed=st.integers(0, 2**32), steps=st.integers(5, 60))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_after_a_storm_the_counters_say_what_the_rows_say(
    store: Store, seed: int, steps: int
) -> None:
    delivery, ledger = make_sending(store, count=1300, delivery_id=f"d{next(_NUMBERS)}")
    storm = Storm(store=store, delivery=delivery, ledger=ledger, dice=random.Random(seed))

    storm.run(steps)
    apply_all_receipts(store)
    resolve_proven(store, delivery.preparation)

    check_counters(store, delivery)
    assert [] == strays_of(store)
    states = state_of_all(store, delivery)
    for position, kinds in storm.took.items():
        expected = max(kinds, key=list(ReceiptKind).index, default=None)
        possible = {"accepted", "unknown"} if expected is None else {expected.value}
        assert states[position] in possible


def state_of_all(store: Store, delivery: Delivery) -> dict[int, str]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT position, state FROM smsflow_message_states WHERE preparation = %s",
            (delivery.preparation,),
        ).fetchall()
    return {row["position"]: row["state"] for row in rows}


def test_whoever_may_speak_for_one_connection_reports_on_its_messages_only(store: Store) -> None:
    """Such as who knows an address of a gateway that signs nothing."""
    delivery, ledger = make_sending(store, count=3)
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET template = template ||"
            ' \'{"settings": {"sending": {"failover": {"gateway": "second"}}}}\''
        )
    settle(ledger, take(ledger, 3), OutcomeKind.ACCEPTED)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_marks SET route = 1 WHERE position = 2")
    spoken = [(1, "sms_gateway"), (2, "sms_gateway"), (2, "second"), (3, "second"), (3, "other")]

    append(store, *[replace(received(delivery, at), gateway=name) for at, name in spoken])
    apply_all_receipts(store)

    assert {"accepted": 3, "delivered": 2} == figures_of(store)
    assert [(at, "another connection's message") for at in (2, 3, 3)] == strays_of(store)
    ledger.release()
