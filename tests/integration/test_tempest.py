"""Everything at once: the counters say what the rows say after every single step."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from smsflow_provider.core.delivery.control import stop
from smsflow_provider.core.delivery.maintain import Chore, Upkeep, maintain
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.store.again import again_by_policy
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.ledger_rows import Settled
from smsflow_provider.core.store.receipts import apply_all_receipts, apply_receipts
from tests.core.delivery.counting import miscounted, under_way
from tests.core.delivery.receiving import (
    append,
    die,
    make_sending,
    received,
    settle,
    strays_of,
    take,
    until_waiting,
)
from tests.core.delivery.tempest import Tempest


@contextmanager
def tempest_of(store: Store, *, count: int, seed: int) -> Iterator[Tempest]:
    delivery, ledger = make_sending(store, count=count)
    ledger.release()
    tempest = Tempest(store=store, delivery=delivery, dice=random.Random(seed))
    try:
        yield tempest
    finally:
        tempest.close()


@pytest.mark.parametrize("seed", range(4))
def test_two_workers_in_any_tempest_count_what_they_do(store: Store, seed: int) -> None:
    with tempest_of(store, count=1200, seed=seed) as tempest:
        tempest.run(60)
        tempest.end(stop=False)
        if tempest.finish_and_resend():
            tempest.run(20)
            tempest.end(stop=True)
        apply_all_receipts(store)
        assert set() == tempest.repeated()

    assert [] == miscounted(store, tempest.delivery)
    assert [] == under_way(store, tempest.delivery)
    assert [] == strays_of(store)


def test_a_message_that_a_receipt_proves_is_not_marked_again_in_the_same_tick(
    store: Store,
) -> None:
    """It was in doubt, went again, and was held back in the moment in which its receipt came."""
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.UNKNOWN)
    again_by_policy(store, delivery, older_than_s=0)
    leased = ledger.lease_chunk(until=None)
    assert leased is not None
    once_more = leased[1][0]
    ledger.tick(settled=[], leaving=[(once_more, 0)])
    append(store, received(delivery, 1))
    apply_receipts(store)

    held_back = Settled(1, once_more.attempt, OutcomeKind.NOT_SENT, "held_back")
    ticked = ledger.tick(settled=[held_back], leaving=[(once_more.again(), 0)])

    assert ({1}, ()) == (set(ticked.proven), tuple(ticked.gone))
    assert [] == miscounted(store, delivery)
    assert [] == under_way(store, delivery)
    ledger.release()


def test_the_receipt_of_a_message_that_goes_again_by_policy_keeps_it_from_leaving(
    store: Store,
) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.UNKNOWN)
    again_by_policy(store, delivery, older_than_s=0)

    append(store, received(delivery, 1))
    apply_receipts(store)
    leased = ledger.lease_chunk(until=None)
    assert leased is not None
    ticked = ledger.tick(settled=[], leaving=[(leased[1][0], 0)])

    assert [] == strays_of(store)
    assert [(1, OutcomeKind.ACCEPTED)] == [(one.position, one.kind) for one in ticked.gone]
    assert [] == miscounted(store, delivery)
    ledger.release()


def test_what_goes_again_in_the_moment_of_a_stop_is_cancelled_with_the_rest(store: Store) -> None:
    delivery, ledger = make_sending(store, count=1)
    settle(ledger, take(ledger, 1), OutcomeKind.UNKNOWN)
    ledger.release()
    with ThreadPoolExecutor() as others, store.transaction() as holder:
        holder.execute(
            "SELECT FROM smsflow_chunks WHERE preparation = %s FOR UPDATE", (delivery.preparation,)
        )
        again = others.submit(again_by_policy, store, delivery, older_than_s=0)
        until_waiting(store)
        stopping = others.submit(stop, store, delivery.id, actor="ann")
        time.sleep(0.3)
        is_early = stopping.done()
        holder.commit()
        again.result(timeout=30)
        stopping.result(timeout=30)

    assert not is_early
    close_stopped(store, delivery.id, actor="ann")
    with store.transaction() as connection:
        left = connection.execute(
            "SELECT unknown, waiting, cancelled FROM smsflow_chunks"
        ).fetchone()
    assert {"unknown": 0, "waiting": 0, "cancelled": 1} == left


def test_maintenance_ends_what_a_lost_worker_held_when_the_others_saw_the_stop(
    store: Store,
) -> None:
    delivery, lost = make_sending(store, count=1500)
    take(lost, 5)
    die(lost)
    stop(store, delivery.id, actor="ann")
    assert not close_stopped(store, delivery.id, actor="ann", lease_s=3600)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_leases SET heartbeat_at = now() - interval '1 day'")

    maintain(store, Upkeep(), only=[Chore.STOPPED])

    with store.transaction() as connection:
        left = connection.execute(
            "SELECT sum(unknown)::int AS unknown, sum(cancelled)::int AS cancelled"
            " FROM smsflow_chunks"
        ).fetchone()
    assert {"unknown": 5, "cancelled": 1495} == left
    assert [] == under_way(store, delivery)
