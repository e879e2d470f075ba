"""Counters and rows agree, and nothing goes twice, whatever happens to a delivery at once."""

from __future__ import annotations

import random

import pytest

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from tests.core.delivery.big_storm import BigStorm
from tests.core.delivery.receiving import make_sending, strays_of


@pytest.mark.parametrize(("seed", "count"), [(0, 40), (1, 150), (2, 1100), (3, 1100)])
def test_counters_are_what_the_rows_say_in_any_storm(store: Store, seed: int, count: int) -> None:
    delivery, ledger = make_sending(store, count=count)
    ledger.release()
    storm = BigStorm(
        store=store,
        delivery=find_delivery(store, delivery.id),
        dice=random.Random(seed),
        with_policy=seed % 2 == 1,
    )
    storm.run(80)

    assert storm.taken
    assert [] == strays_of(store)
