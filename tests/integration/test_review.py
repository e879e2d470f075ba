"""What a reviewer looks at."""

from __future__ import annotations

from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.store.connection import Store
from tests.prepared_delivery import make_prepared


def test_the_waterfall_leads_from_the_targeted_to_those_to_deliver(store: Store) -> None:
    make_prepared(store, count=7)
    shown = review(store, "d1")

    assert [("invalid_number", 2, 8), ("opted_out", 1, 7)] == [
        (step["reason"], step["excluded"], step["left"]) for step in shown["waterfall"]
    ]
    assert 7 == shown["to_deliver"] == shown["waterfall"][-1]["left"]
