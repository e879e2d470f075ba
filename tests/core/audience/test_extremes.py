"""The values of an audience that can make a text long."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from smsflow_provider.core.audience.extremes import MOST_DISTINCT, extremes_of


def batches(*columns: dict[str, Any]) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pydict(each) for each in columns]


def test_the_longest_text_and_the_longest_that_is_not_gsm_are_kept() -> None:
    names = ["Ann", "Maximilian", "Bo", "Cy", "Di", "Ed", "Zoê", "Bê"]
    halves = batches({"name": names[:5]}, {"name": names[5:]})
    known = extremes_of(halves, ["name"])

    assert {"name": ("Maximilian", "Zoê")} == known.values
    assert frozenset() == known.complete
    assert known.values == extremes_of(reversed(halves), ["name"]).values


def test_a_column_of_few_values_is_kept_whole() -> None:
    rows = ["gold", None, "tin", "gold"] * 50
    known = extremes_of(batches({"tier": rows}, {"tier": rows}), ["tier"])

    assert {"tier": ("gold", "tin")} == known.values
    assert {"tier"} == known.complete


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (list(range(-3, 20)), {-3, 19}),
        ([n / 7 for n in range(9)], {0.0, 8 / 7}),
        ([date(2026, 1, day) for day in range(1, 20)], {date(2026, 1, 1), date(2026, 1, 19)}),
        ([Decimal(n) for n in range(20)], {Decimal(0), Decimal(19)}),
    ],
)
def test_the_greatest_and_the_least_of_what_has_an_order_are_kept(
    values: list[object], expected: set[object]
) -> None:
    found = extremes_of(batches({"value": values}), ["value"]).values["value"]

    assert expected <= set(found)
    assert len(found) <= 3 < MOST_DISTINCT


def test_all_columns_are_named_and_only_those_asked_for_are_read() -> None:
    known = extremes_of(batches({"a": ["x"], "b": [None], "c": [[1, 2]]}), ["b", "c", "d"])

    assert frozenset({"a", "b", "c"}) == known.columns
    assert {"b": ()} == known.values


def test_a_file_without_rows_has_columns_only() -> None:
    empty = pa.RecordBatch.from_pydict({"a": pa.array([], pa.string())})
    known = extremes_of([empty], ["a"])

    assert frozenset({"a"}) == known.columns
    assert {"a": ()} == known.values
    assert frozenset() == extremes_of([], ["a"]).columns


def test_the_values_are_in_no_repr() -> None:
    assert "Secret" not in repr(extremes_of(batches({"name": ["Secret"]}), ["name"]))
