"""What differs between two preparations, on a real store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from smsflow_provider.cli.main import main
from smsflow_provider.core.errors import ConfigError, NotFoundError
from smsflow_provider.core.preparation.diff import changes_since_previous, diff
from smsflow_provider.core.store.compare import _PLAN, previous_delivery
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.statements import statements
from tests.prepared_delivery import make_prepared


def run_sql(store: Store, query: str, *values: object) -> None:
    """Change the store behind its back."""
    with store.transaction() as connection:
        connection.execute(query.encode(), values)


def change_messages(store: Store, delivery: Delivery, change: str) -> None:
    """Change prepared messages by SQL; *change* ends in a condition."""
    run_sql(store, f"{change} AND preparation = %s", delivery.preparation)


def change_delivery(store: Store, delivery_id: str, **columns: object) -> None:
    """Change columns of a delivery."""
    update = "UPDATE smsflow_deliveries SET"
    for name, value in columns.items():
        told = Jsonb(value) if isinstance(value, Mapping) else value
        run_sql(store, f"{update} {name} = %s WHERE id = %s", told, delivery_id)


@pytest.fixture
def pair(store: Store) -> tuple[Delivery, Delivery]:
    """Two runs of one task, six messages each: one is new, one is gone, three have changed."""
    make_prepared(store, count=6, delivery_id="d1")
    after = make_prepared(store, count=6, delivery_id="d2")
    update = "UPDATE smsflow_messages SET"
    change_messages(store, after, f"{update} phone = 33699999999 WHERE position = 6")
    change_messages(store, after, f"{update} body = 'Good morning 1' WHERE position = 1")
    change_messages(store, after, f"{update} sender = 'SHOP' WHERE position = 2")
    change_messages(store, after, f"{update} body = repeat('é€', 90), parts = 2 WHERE position = 3")
    change_messages(
        store,
        after,
        "UPDATE smsflow_exclusions SET phone = 33600000006, reason = 'pressure'"
        " WHERE row_number = 3",
    )
    change_delivery(store, "d2", fingerprint="f" * 64)
    return find_delivery(store, "d1"), find_delivery(store, "d2")


@pytest.mark.usefixtures("pair")
def test_people_in_and_out_are_counted_with_their_reason_on_the_other_side(store: Store) -> None:
    people = diff(store, "d1", "d2")["recipients"]

    assert 5 == people["stayed"]
    assert {
        "count": 1,
        "reasons": {"opted_out": 1},
        "samples": [{"recipient_id": "r6", "to_masked": "+33·······99", "reason": "opted_out"}],
    } == people["came"]
    assert {
        "count": 1,
        "reasons": {"pressure": 1},
        "samples": [{"recipient_id": "r6", "to_masked": "+33·······06", "reason": "pressure"}],
    } == people["gone"]


def test_people_nobody_targeted_before_are_told_as_such(store: Store) -> None:
    make_prepared(store, count=2, delivery_id="d1")
    make_prepared(store, count=5, delivery_id="d2")
    found = diff(store, "d1", "d2", limit=2)["recipients"]["came"]

    assert (3, {"not_targeted": 3}) == (found["count"], found["reasons"])
    assert ["r3", "r4"] == [one["recipient_id"] for one in found["samples"]]


def test_a_duplicate_whose_winner_was_left_out_has_the_reason_of_the_winner(store: Store) -> None:
    make_prepared(store, count=2, delivery_id="d1")
    after = make_prepared(store, count=1, delivery_id="d2")
    update = "UPDATE smsflow_exclusions SET phone = 33600000002"
    for row, reason in ((1, "duplicate"), (2, "too_long"), (3, "duplicate")):
        change_messages(
            store,
            after,
            f"{update}, reason = '{reason}' WHERE row_number = {row}",
        )

    assert {"too_long": 1} == diff(store, "d1", "d2")["recipients"]["gone"]["reasons"]


@pytest.mark.usefixtures("pair")
def test_changed_messages_show_both_texts(store: Store) -> None:
    messages = diff(store, "d1", "d2")["messages"]
    samples = messages.pop("samples")

    assert {"changed": 3, "text": 2, "sender": 1, "parts": 1, "encoding": 0} == messages
    assert {
        "recipient_id": "r1",
        "to_masked": "+33·······01",
        "before": {"sender": "ACME", "text": "Hello 1", "parts": 1, "encoding": "gsm7"},
        "after": {"sender": "ACME", "text": "Good morning 1", "parts": 1, "encoding": "gsm7"},
    } == samples[0]
    assert ["r1", "r2", "r3"] == [one["recipient_id"] for one in samples]
    assert "33600000001" not in json.dumps(diff(store, "d1", "d2"))


@pytest.mark.usefixtures("pair")
def test_without_samples_only_counts_are_told(store: Store) -> None:
    found = diff(store, "d1", "d2", limit=0)

    assert ([], [], []) == (
        found["messages"]["samples"],
        found["recipients"]["came"]["samples"],
        found["recipients"]["gone"]["samples"],
    )
    assert {"opted_out": 1} == found["recipients"]["came"]["reasons"]


@pytest.mark.usefixtures("pair")
def test_a_difference_the_other_way_round_is_its_mirror(store: Store) -> None:
    there, back = diff(store, "d1", "d2"), diff(store, "d2", "d1")

    assert there["recipients"]["came"] == back["recipients"]["gone"]
    assert there["recipients"]["gone"] == back["recipients"]["came"]
    assert [one["after"] for one in there["messages"]["samples"]] == [
        one["before"] for one in back["messages"]["samples"]
    ]


def test_a_delivery_does_not_differ_from_itself(store: Store) -> None:
    make_prepared(store, count=3)
    found = diff(store, "d1", "d1")

    assert found["is_same"]
    assert (3, 0, 0) == (
        found["recipients"]["stayed"],
        found["recipients"]["came"]["count"],
        found["messages"]["changed"],
    )
    assert ([], [], 0) == (
        found["settings"],
        found["template"],
        found["figures"]["parts"]["difference"],
    )


@pytest.mark.usefixtures("pair")
def test_settings_template_exclusions_and_cost_are_compared(store: Store) -> None:
    change_delivery(
        store,
        "d1",
        template={"name": "sale", "body": "Hello\nBye", "settings": {"max_parts": 1}},
        settings={"region": "FR", "population": {"filters": {"old": "age > 9"}}},
        figures={
            "excluded": {"opted_out": 3},
            "cost": {"total": "1.50", "currency": "EUR", "is_complete": True},
        },
    )
    change_delivery(
        store,
        "d2",
        template={
            "name": "sale",
            "body": "Hello\nGood bye",
            "settings": {"max_parts": 2},
            "variants": {"fr": "Salut"},
        },
        settings={"region": "FR", "population": {"filters": {}}},
        figures={
            "excluded": {"opted_out": 1, "pressure": 2},
            "cost": {"total": "1.75", "currency": "EUR", "is_complete": False},
        },
        parts=7,
    )
    found = diff(store, "d1", "d2")

    assert [
        ("settings.population.filters", None, {}),
        ("settings.population.filters.old", "age > 9", None),
        ("template.max_parts", 1, 2),
    ] == [(one["path"], one["before"], one["after"]) for one in found["settings"]]
    assert [
        {"part": "body", "diff": ["--- before", "+++ after", "@@ -1,2 +1,2 @@", " Hello", "-Bye"]}
    ] == [{**found["template"][0], "diff": found["template"][0]["diff"][:-1]}]
    assert "variants.fr" == found["template"][1]["part"]
    assert {"before": 3, "after": 1, "difference": -2} == found["exclusions"]["opted_out"]
    assert {"before": 0, "after": 2, "difference": 2} == found["exclusions"]["pressure"]
    assert ("1.50", "1.75", "0.25") == (
        found["cost"]["before"],
        found["cost"]["after"],
        found["cost"]["difference"],
    )
    assert {"before": 6, "after": 7, "difference": 1} == found["figures"]["parts"]


@pytest.mark.parametrize(
    ("one", "other"),
    [({}, {"total": "1", "currency": "EUR"}), ({"total": "1", "currency": "USD"}, {"total": "1"})],
)
def test_costs_that_cannot_be_compared_have_no_difference(
    store: Store, one: dict[str, Any], other: dict[str, Any]
) -> None:
    make_prepared(store, count=1, delivery_id="d1")
    make_prepared(store, count=1, delivery_id="d2")
    change_delivery(store, "d1", figures={"cost": one})
    change_delivery(store, "d2", figures={"cost": other})

    assert diff(store, "d1", "d2")["cost"]["difference"] is None


def test_the_former_run_of_the_same_task_is_found(store: Store) -> None:
    for number in range(1, 6):
        make_prepared(store, count=1, delivery_id=f"d{number}")
    change_delivery(store, "d2", task_id="other")
    change_delivery(store, "d3", kind="direct")
    change_delivery(store, "d4", fingerprint=None)
    latest = find_delivery(store, "d5")
    former = previous_delivery(store, latest)

    assert former is not None
    assert "d1" == former.id
    assert previous_delivery(store, former) is None
    assert ("d1", "d5") == tuple(
        diff(store, None, "d5")[side]["delivery"] for side in ("before", "after")
    )


def test_deliveries_made_by_no_dag_have_no_former_run(store: Store) -> None:
    for name in ("d1", "d2"):
        make_prepared(store, count=1, delivery_id=name)
        change_delivery(store, name, dag_id="")

    assert previous_delivery(store, find_delivery(store, "d2")) is None
    with pytest.raises(ConfigError, match="no former delivery"):
        diff(store, None, "d2")


def test_a_review_can_say_what_changed_without_reading_messages(
    store: Store, pair: tuple[Delivery, Delivery]
) -> None:
    run_sql(store, "DROP TABLE smsflow_messages CASCADE")
    found = changes_since_previous(store, pair[1])

    assert found is not None
    assert "d1" == found["before"]["delivery"]
    assert "recipients" not in found
    assert changes_since_previous(store, pair[0]) is None
    assert found == json.loads(json.dumps(found))


def test_rows_that_are_not_kept_any_more_are_said_to_be_gone(
    store: Store, pair: tuple[Delivery, Delivery]
) -> None:
    run_sql(
        store,
        "UPDATE smsflow_preparations SET dropped_at = now() WHERE no = %s",
        pair[0].preparation,
    )
    found = diff(store, "d1", "d2")

    assert (["d1"], None, None) == (found["rows_gone"], found["recipients"], found["messages"])
    assert 6 == found["figures"]["to_deliver"]["after"]


def test_what_is_not_prepared_cannot_be_compared(store: Store) -> None:
    make_prepared(store, count=1, delivery_id="d1")
    make_prepared(store, count=1, delivery_id="d2")
    change_delivery(store, "d2", fingerprint=None)

    with pytest.raises(ConfigError, match="no complete preparation"):
        diff(store, "d1", "d2")
    with pytest.raises(NotFoundError):
        diff(store, "d1", "d9")


@pytest.mark.usefixtures("pair")
def test_the_command_tells_in_words_and_in_json(
    store: Store,
    store_dsn: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change_delivery(store, "d1", template={"body": "Hi"}, settings={"region": None})
    cost = {"total": "12.345678", "currency": "EUR", "is_complete": False}
    change_delivery(store, "d2", figures={"excluded": {"pressure": 3}, "cost": cost})

    assert 0 == main(["diff", "d2", "--store", store_dsn])
    words = capsys.readouterr().out
    assert 0 == main(["diff", "d1", "d2", "--json", "--limit", "1", "--store", store_dsn])
    document = json.loads(capsys.readouterr().out)

    for line in (
        "Recipients who get a message in both: 5",
        "Recipients who get one only after: 1",
        "  opted_out before: 1",
        "  r6 +33·······06 (pressure after)",
        "Recipients in both whose message differs: 3 (text 2, sender 1, parts 1, encoding 0)",
        "  - ACME, 1 part: Hello 1",
        "  + ACME, 1 part: Good morning 1",
        "Template, body:",
        "  settings.region: none -> FR",
    ):
        assert line in words.splitlines(), words
    assert ["cost", "not", "known", ">=", "12.35", "EUR", "?"] == next(
        line.split() for line in words.splitlines() if line.startswith("cost")
    )
    assert diff(store, "d1", "d2", limit=1) == document


@pytest.mark.parametrize("name", ["count_changes", "missing_people", "sample_changed"])
def test_partitions_without_statistics_are_not_joined_row_by_row(
    store: Store, pair: tuple[Delivery, Delivery], name: str
) -> None:
    before, after = pair[0].preparation, pair[1].preparation
    values = {"before": before, "after": after, "one": before, "other": after, "limit": 5}
    with store.transaction() as connection:
        for setting in _PLAN:
            connection.execute(setting.encode())
        statement = b"EXPLAIN " + statements("compare")[name].encode()
        plan = [row["QUERY PLAN"] for row in connection.execute(statement, values)]

    assert any(" Join" in line for line in plan), plan
    assert not any("Nested Loop" in line for line in plan), plan


def test_the_command_takes_one_or_two_deliveries(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_prepared(store, count=1)
    with pytest.raises(SystemExit):
        main(["diff", "a", "b", "c", "--store", store_dsn])
    assert "compare two deliveries" in capsys.readouterr().err
    assert 0 == main(["diff", "d1", "d1", "--store", store_dsn])
    assert "The fingerprints are equal" in capsys.readouterr().out
    assert 1 == main(["diff", "d1", "--store", store_dsn])
    assert "no former delivery" in capsys.readouterr().err
