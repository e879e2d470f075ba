"""The moves of a delivery: the table in code and the guard in SQL are the same."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.states import MOVES, DeliveryState, check_move
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, move_delivery
from tests.prepared_delivery import make_prepared

PAIRS = list(product(DeliveryState, DeliveryState))


def _force(store: Store, state: DeliveryState) -> None:
    with store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER USER")
        connection.execute("UPDATE smsflow_deliveries SET state = %s", (state.value,))
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER USER")


def _is_moved(store: Store, target: DeliveryState) -> bool:
    try:
        with store.transaction() as connection:
            connection.execute("UPDATE smsflow_deliveries SET state = %s", (target.value,))
    except IllegalMoveError:
        return False
    return True


def test_the_database_allows_exactly_the_moves_of_the_table(store: Store) -> None:
    make_prepared(store, count=0)
    found = set()
    for current, target in PAIRS:
        _force(store, current)
        if _is_moved(store, target):
            found.add((current, target))

    assert {(current, target) for current in MOVES for target in MOVES[current]} == found


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_check_move_follows_the_table(current: DeliveryState, target: DeliveryState) -> None:
    if target in MOVES[current]:
        check_move(current, target)
        return
    with pytest.raises(IllegalMoveError) as caught:
        check_move(current, target)
    assert sorted(MOVES[current]) == caught.value.facts["possible"]


def test_of_two_moves_from_the_same_state_one_is_refused(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        move_delivery(connection, delivery, DeliveryState.REJECTED, actor="a")

    with store.transaction() as connection, pytest.raises(IllegalMoveError, match="meanwhile"):
        move_delivery(connection, delivery, DeliveryState.APPROVED, actor="b")
    assert DeliveryState.REJECTED is find_delivery(store, "d1").state


def test_an_unknown_state_cannot_be_written(store: Store) -> None:
    make_prepared(store, count=0)
    with pytest.raises((IllegalMoveError, psycopg.Error)), store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET state = 'sent'")
