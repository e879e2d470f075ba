from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.columns import INTEGER, NUMBER, TEXT, kind_of
from smsflow_provider.core.audience.rows import array_of, batch_of
from smsflow_provider.core.errors import AudienceError

LOCAL = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001  without a zone on purpose
PARIS = timezone(timedelta(hours=2))
ONE = UUID(int=1)

#: Values of one class, and the same values as they come out.
SAME = {
    "boolean": st.booleans(),
    "integer": st.integers(min_value=-(2**63), max_value=2**63 - 1),
    "number": st.floats(allow_nan=False),
    "text": st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    "date": st.dates(),
    "time": st.times(),
    "local_moment": st.datetimes(),
    "moment": st.datetimes(timezones=st.just(UTC)),
}


@given(st.data(), st.sampled_from(sorted(SAME)))
def test_plain_values_come_out_as_they_went_in(data: st.DataObject, kind: str) -> None:
    values = data.draw(st.lists(st.none() | SAME[kind], min_size=1))
    array = array_of(values, name="c")

    assert values == array.to_pylist()
    assert kind_of(array.type) == (kind if any(v is not None for v in values) else "nothing")


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**20)))
def test_decimals_come_out_exactly(values: list[Decimal]) -> None:
    kept = [value for value in values if abs(value) < 10**20]

    assert kept == array_of(kept, name="c").to_pylist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([ONE, None], [str(ONE), None]),
        ([{"a": [1, None]}, None], ['{"a": [1, null]}', None]),
        ([["é"], ("b",)], ['["é"]', '["b"]']),
        ([1, "b", None], ["1", "b", None]),
        ([1.0, 1.5, "b"], ["1", "1.5", "b"]),
        ([Decimal("5.00"), Decimal("1.10"), "b"], ["5", "1.10", "b"]),
        ([Decimal("1E+3"), "b"], ["1000", "b"]),
        ([True, "b"], ["true", "b"]),
        ([date(2026, 1, 2), "b"], ["2026-01-02", "b"]),
        ([float("nan"), "b"], [None, "b"]),
        ([1, 1.5], [1.0, 1.5]),
        ([1, Decimal("1.5")], [Decimal("1.0"), Decimal("1.5")]),
        ([2**63, 1], [Decimal(2**63), Decimal(1)]),
        ([Decimal("NaN"), Decimal(1)], [None, Decimal(1)]),
        ([date(2026, 1, 2), LOCAL], [datetime(2026, 1, 2), LOCAL]),  # noqa: DTZ001
        ([LOCAL.replace(tzinfo=PARIS)], [LOCAL.replace(tzinfo=PARIS)]),
        ([], []),
    ],
)
def test_mixed_values_get_the_type_that_holds_them_all(
    values: list[object], expected: list[object]
) -> None:
    assert expected == array_of(values, name="c").to_pylist()


class Shouting(str):
    """A subclass, as drivers and enums hand them out."""

    __slots__ = ()


def test_a_subclass_counts_as_its_class() -> None:
    assert ["a"] == array_of([Shouting("a")], name="c").to_pylist()


@pytest.mark.parametrize(
    ("values", "fact"),
    [
        ([b"bytes"], "bytes"),
        ([timedelta(1)], "timedelta"),
        ([memoryview(b"")], "memoryview"),
        ([1j], "complex"),
        ([10**60], "decimal_0"),
        ([Decimal(10**37), Decimal("0.01")], "decimal_2"),
        ([Decimal("Infinity")], "decimal_0"),
        ([2**60 + 1, 1.5], "number"),
        (["half \ud83d"], "text"),
    ],
)
def test_a_value_that_cannot_be_kept_is_named_by_column_and_type(
    values: list[object], fact: str
) -> None:
    with pytest.raises(AudienceError, match="cast it to text") as caught:
        array_of(values, name="photo")
    assert {"column": "photo", "type": fact} == caught.value.facts


@pytest.mark.parametrize(
    ("values", "types"),
    [
        ([True, 1], ["boolean", "integer"]),
        ([date(2026, 1, 2), 1], ["date", "integer"]),
        ([LOCAL, LOCAL.replace(tzinfo=UTC)], ["local_moment", "moment"]),
        ([time(1), 1], ["integer", "time"]),
    ],
)
def test_values_that_do_not_go_together_are_named(values: list[object], types: list[str]) -> None:
    with pytest.raises(AudienceError, match="no common type") as caught:
        array_of(values, name="c")
    assert types == caught.value.facts["types"]


def test_an_error_quotes_no_value() -> None:
    for values in (["0612345678", b"0612345678"], [10**50 + 612345678], ["0612345678\ud83d"]):
        with pytest.raises(AudienceError) as caught:
            array_of(values, name="c")
        assert "612345678" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_batch_has_its_names_even_without_rows() -> None:
    batch = batch_of(["id", "phone"], [])

    assert (0, ["id", "phone"]) == (batch.num_rows, batch.schema.names)


@given(st.lists(st.tuples(SAME["integer"], st.none() | SAME["text"], SAME["number"]), min_size=1))
def test_a_batch_keeps_rows_in_order(rows: Sequence[tuple[Any, ...]]) -> None:
    batch = batch_of(["i", "t", "n"], rows)

    assert [list(row) for row in rows] == [list(row.values()) for row in batch.to_pylist()]
    assert [INTEGER, NUMBER] == [batch.schema.field(name).type for name in ("i", "n")]
    assert batch.schema.field("t").type in (TEXT, pa.null())
