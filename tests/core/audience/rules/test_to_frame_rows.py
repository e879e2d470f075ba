from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from smsflow_provider.core.audience.rules.fluent import col, link
from smsflow_provider.core.audience.rules.to_frame_rows import apply_rules
from smsflow_provider.core.errors import AudienceError
from tests.docs.blocks import blocks

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
DIMENSION: dict[str, Any] = {
    "table": "crm.customers",
    "key": "id",
    "phone": "phone",
    "consent": ["sms"],
    "columns": {"city": "text", "sms": "boolean", "since": "date"},
    "links": {
        "orders": {
            "table": "crm.orders",
            "kind": "many",
            "on": {"id": "customer_id"},
            "date": "day",
            "columns": {"amount": "number", "day": "date"},
        }
    },
}


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [3, 1, 2],
            "city": ["PARIS", "Lyon", "paris"],
            "sms": [True, True, False],
            "since": pd.to_datetime(["2026-11-01", "2026-01-01", None]),
            "more": [b"x", b"y", b"z"],
        },
        index=pd.Index(["r3", "r1", "r2"]),
    )


def test_rows_stay_as_they_are(people: pd.DataFrame) -> None:
    rules = {"column": "city", "equals": "paris", "fold": "case"}
    kept = apply_rules(people, rules, dimension=DIMENSION, now=NOW, regardless_of_consent=True)

    pd.testing.assert_frame_equal(people.loc[["r3", "r2"]], kept)
    assert ["id", "city", "sms", "since", "more"] == list(people.columns)


def test_people_without_consent_are_left_out(people: pd.DataFrame) -> None:
    rules = {"column": "city", "equals": "paris", "fold": "case"}

    assert [3] == list(apply_rules(people, rules, dimension=DIMENSION, now=NOW)["id"])


def test_rules_of_linked_tables_take_their_frames(people: pd.DataFrame) -> None:
    orders = pd.DataFrame(
        {
            "customer_id": [1, 1, 3],
            "amount": [60, 50, 200],
            "day": pd.to_datetime(["2026-11-20", "2026-11-21", "2025-01-01"]),
        }
    )
    rules = link("orders").sum("amount", within_last="30 days").above(100) | col("city").equals("x")
    kept = apply_rules(people, rules, dimension=DIMENSION, now=NOW, linked={"crm.orders": orders})

    assert [1] == list(kept["id"])


def test_a_frame_of_polars_stays_one() -> None:
    days = [date(2026, 11, 1), date(2026, 1, 1), None]
    given = pl.DataFrame({"id": [3, 1, 2], "sms": [True] * 3, "since": days})
    rules = {"column": "since", "within_last": "30 days"}

    assert [3] == apply_rules(given, rules, dimension=DIMENSION, now=NOW)["id"].to_list()


def test_what_is_no_frame_is_refused_by_its_type() -> None:
    with pytest.raises(AudienceError) as caught:
        apply_rules([{"id": 1}], {"everyone": True}, dimension=DIMENSION, now=NOW)
    assert {"got": "list"} == caught.value.facts


def test_the_example_of_the_page_finds_whom_it_says(repository: Path) -> None:
    (example,) = blocks(repository / "docs/audiences.md", "python", mark="rules-over-a-frame")
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102  our own page

    assert [1] == list(names["found"]["customer_id"])
