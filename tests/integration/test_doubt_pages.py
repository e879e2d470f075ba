"""A long list of doubts is read page by page."""

from __future__ import annotations

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.doubts import read_doubts
from tests.governed import make_approved

COUNT = 10_000


def test_each_of_ten_thousand_doubts_is_on_one_page_in_order(store: Store) -> None:
    delivery = make_approved(store, count=COUNT)
    with store.transaction() as connection:
        for statement in (
            (
                "INSERT INTO smsflow_marks (preparation, position, attempt, epoch)"
                " SELECT %(preparation)s, n, 0, 1 FROM generate_series(1, %(count)s) AS n"
            ),
            (
                "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code)"
                " SELECT %(preparation)s, n, 0, 'unknown', 'reset'"
                " FROM generate_series(1, %(count)s) AS n"
            ),
            (
                "UPDATE smsflow_chunks SET unknown = last_position - first_position + 1"
                " WHERE preparation = %(preparation)s"
            ),
        ):
            connection.execute(statement, {"preparation": delivery.preparation, "count": COUNT})

    found = [0]
    while page := read_doubts(store, delivery, after=found[-1], limit=100):
        found += [one.position for one in page]

    assert list(range(COUNT + 1)) == found
