"""Everything at once: the counters say what the rows say after every single step."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.receipts import apply_all_receipts
from tests.core.delivery.counting import miscounted, under_way
from tests.core.delivery.receiving import make_sending, strays_of
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


@pytest.mark.parametrize("seed", range(6))
def test_two_workers_in_any_tempest_count_what_they_do(store: Store, seed: int) -> None:
    with tempest_of(store, count=1200, seed=seed) as tempest:
        tempest.run(60)
        tempest.end(stop=False)
        if tempest.finish_and_resend():
            tempest.run(20)
            tempest.end(stop=True)
        apply_all_receipts(store)

    assert [] == miscounted(store, tempest.delivery)
    assert [] == under_way(store, tempest.delivery)
    assert [] == strays_of(store)
