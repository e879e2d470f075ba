"""What a reviewer looks at."""

from __future__ import annotations

from dataclasses import replace

from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.model import Origin
from smsflow_provider.core.preparation.found import found_of
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.store.audience_files import register_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import write_log
from tests.prepared_delivery import make_prepared


def test_the_waterfall_leads_from_the_targeted_to_those_to_deliver(store: Store) -> None:
    make_prepared(store, count=7)
    shown = review(store, "d1")

    assert [("invalid_number", 2, 8), ("opted_out", 1, 7)] == [
        (step["reason"], step["excluded"], step["left"]) for step in shown["waterfall"]
    ]
    assert 7 == shown["to_deliver"] == shown["waterfall"][-1]["left"]


def test_the_log_begins_with_what_blocks_send(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        for level in ("info", "warning", "error", "warning"):
            write_log(connection, delivery, level=level, event=level, problem=f"a {level}")

    assert ["error", "warning", "warning", "info"] == [
        line["level"] for line in review(store, "d1")["log"]
    ]


def test_a_review_says_that_its_messages_have_left_the_store(store: Store) -> None:
    make_prepared(store, count=1)
    assert review(store, "d1")["archived"] is None
    with store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_preparations SET archived_at = now(), archive_uri = 'file:///a'"
        )

    assert "file:///a" == review(store, "d1")["archived"]["uri"]


def test_an_audience_that_was_taken_over_is_told_by_the_task_that_found_it(store: Store) -> None:
    taken, first = (
        AudienceReference(uri=f"file:///{name}.parquet", count=9, fingerprint="f" * 64)
        for name in "ab"
    )
    made = {"source": "rules", "dimension": "customers", "everyone": 20, "steps": []}
    register_file(store, first, by=Origin(task_id="people"), made=made)
    handed_on = {"source": "reference", "of": first.as_dict()}
    register_file(store, taken, by=Origin(task_id="again"), made=handed_on)
    delivery = replace(make_prepared(store, count=7), audience=taken.as_dict())

    found = found_of(store, delivery) or {}
    told = [found[name] for name in ("source", "task_id", "count", "everyone")]
    assert ["rules", "people", 9, 20] == told


def test_a_store_of_the_former_version_knows_no_files_and_shows_its_reviews(store: Store) -> None:
    make_prepared(store, count=7)
    with store.transaction() as connection:
        connection.execute("DROP TABLE smsflow_audience_files")

    assert review(store, "d1")["audience"] is None
