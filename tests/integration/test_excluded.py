"""Those who get no text, listed by reason: in pages, masked, at a cost that does not grow."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.excluded import excluded_for
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.exclusions import MOST_EXCLUDED, read_excluded
from smsflow_provider.core.store.prepared import (
    INDEXED_EXCLUSIONS,
    Published,
    begin_preparation,
    writing_preparation,
)
from smsflow_provider.core.store.statements import statements
from tests.prepared_delivery import make_prepared


def people(store: Store, reason: Exclusion, **wanted: Any) -> list[dict[str, Any]]:
    return list(excluded_for(store, "d1", reason=reason, **wanted)["people"])


def prepare_again(store: Store, reasons: list[str]) -> Delivery:
    """Prepare the delivery with nobody to text and a row left out for each of *reasons*."""
    make_prepared(store, count=1)
    delivery = begin_preparation(
        store,
        "d1",
        label="Sale",
        gateway="sms_gateway",
        dry_run=False,
        template={},
        settings={},
        audience={},
        validity_s=None,
        actor="test",
    )
    frame = pl.DataFrame({"reason": reasons}).with_row_index("row_number", offset=1)
    with writing_preparation(store, delivery) as writer:
        writer.write_exclusions(
            frame.select(
                pl.col("row_number").cast(pl.Int32),
                recipient_id=pl.format("x{}", "row_number"),
                phone=pl.lit(33600000000, dtype=pl.UInt64) + pl.col("row_number"),
                reason="reason",
                detail=pl.lit(""),
            )
        )
        counts = {one: reasons.count(one) for one in set(reasons)}
        writer.publish(
            Published(
                fingerprint="f" * 64,
                targeted=len(reasons),
                excluded=len(reasons),
                to_deliver=0,
                parts=0,
                figures={"excluded": counts},
            )
        )
    return find_delivery(store, "d1")


def test_those_of_one_reason_are_listed_without_their_numbers(store: Store) -> None:
    delivery = make_prepared(store, count=2)
    page = excluded_for(store, "d1", reason=Exclusion.OPTED_OUT)

    assert {
        "delivery": "d1",
        "fingerprint": delivery.fingerprint,
        "reason": "opted_out",
        "total": 1,
        "people": [
            {
                "row_number": 3,
                "recipient_id": "x3",
                "to_masked": "+33·······99",
                "detail": "",
                "winner_id": None,
            }
        ],
        "next": None,
    } == page
    assert [(None, "too_short"), (None, "invalid")] == [
        (one["to_masked"], one["detail"]) for one in people(store, Exclusion.INVALID_NUMBER)
    ]
    assert [] == people(store, Exclusion.PRESSURE)


def test_pages_hold_everybody_once_in_the_order_of_the_audience(store: Store) -> None:
    prepare_again(store, ["opted_out", "duplicate", "opted_out", "opted_out", "duplicate"])
    first = excluded_for(store, "d1", reason=Exclusion.OPTED_OUT, limit=2)
    second = excluded_for(store, "d1", reason=Exclusion.OPTED_OUT, limit=2, after=first["next"])

    assert [["x1", "x3"], ["x4"]] == [
        [one["recipient_id"] for one in page["people"]] for page in (first, second)
    ]
    assert (3, 3, None) == (first["next"], first["total"], second["next"])


@pytest.mark.parametrize("reason", [Exclusion.SIZE_LIMIT, Exclusion.OPTED_OUT, Exclusion.PRESSURE])
def test_a_rare_reason_among_many_is_found_by_an_index(store: Store, reason: Exclusion) -> None:
    many = INDEXED_EXCLUSIONS + 1
    delivery = prepare_again(store, ["opted_out"] * (many - 1) + ["size_limit"])
    values = {
        "preparation": delivery.preparation,
        "reason": reason.value,
        "after": 0,
        "limit": 50,
    }
    with store.transaction() as connection:
        connection.execute(f"ANALYZE smsflow_exclusions_p{delivery.preparation}".encode())
        asked = f"EXPLAIN (ANALYZE, FORMAT JSON) {statements('exclusions')['excluded_page']}"
        row = connection.execute(asked.encode(), values).fetchone()
    plan = json.dumps(row and row["QUERY PLAN"])

    assert "reason_row_number_idx" in plan
    assert "Seq Scan" not in plan
    assert '"Sort"' not in plan


def test_without_a_preparation_nobody_is_listed(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no such delivery"):
        excluded_for(store, "d1", reason=Exclusion.OPTED_OUT)
    make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET fingerprint = NULL")

    assert ([], None) == (people(store, Exclusion.OPTED_OUT), None)


def test_archived_rows_are_said_to_be(store: Store) -> None:
    make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_preparations SET archived_at = now()")

    with pytest.raises(NotFoundError, match="archived"):
        excluded_for(store, "d1", reason=Exclusion.OPTED_OUT)


@pytest.mark.parametrize("limit", [0, MOST_EXCLUDED + 1])
def test_a_page_is_bounded(store: Store, limit: int) -> None:
    delivery = make_prepared(store, count=1)

    with pytest.raises(ValueError, match="1 to 1000"):
        read_excluded(store, delivery, reason=Exclusion.OPTED_OUT, limit=limit)
