"""Whole numbers are shown with a line that says who saw which, or not at all."""

from __future__ import annotations

import json

import pytest

from smsflow_provider.core.errors import ConfigError, IllegalMoveError, NotFoundError
from smsflow_provider.core.preparation.unmask import unmask
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.suppressed import NOBODY
from tests.prepared_delivery import make_prepared


def noted(store: Store) -> list[Row]:
    with store.transaction() as connection:
        return connection.execute(
            "SELECT actor, action, delivery_no, facts FROM smsflow_audit ORDER BY no"
        ).fetchall()


def test_numbers_are_shown_and_who_saw_them_is_noted_without_them(store: Store) -> None:
    delivery = make_prepared(store, count=3)
    found = unmask(
        store, "d1", positions=[3, 1, 3, 99], fingerprint=delivery.fingerprint or "", actor="maria"
    )

    assert [(1, "+33600000001"), (3, "+33600000003")] == [
        (one["position"], one["phone"]) for one in found["phones"]
    ]
    (line,) = noted(store)
    assert ("maria", "unmasked", delivery.no, {"positions": [1, 3]}) == tuple(line.values())
    assert "3360000000" not in json.dumps(line)


def test_places_of_another_preparation_are_not_shown(store: Store) -> None:
    make_prepared(store, count=1)

    with pytest.raises(IllegalMoveError, match="prepared again"):
        unmask(store, "d1", positions=[1], fingerprint="0" * 64, actor="maria")
    assert [] == noted(store)


@pytest.mark.parametrize("positions", [[], range(1, 102)])
def test_a_hundred_are_shown_at_once_and_no_more(store: Store, positions: list[int]) -> None:
    with pytest.raises(ConfigError, match="1 to 100"):
        unmask(store, "d1", positions=positions, fingerprint="f", actor="maria")


def test_an_erased_person_has_no_number(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_messages SET phone = %s", [NOBODY])

    assert (
        []
        == (
            unmask(
                store, "d1", positions=[1], fingerprint=delivery.fingerprint or "", actor="maria"
            )["phones"]
        )
    )


def test_an_unknown_delivery_is_no_reason_for_a_line(store: Store) -> None:
    with pytest.raises(NotFoundError):
        unmask(store, "d1", positions=[1], fingerprint="f", actor="maria")
    assert [] == noted(store)
