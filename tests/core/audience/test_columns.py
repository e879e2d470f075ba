from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.columns import (
    DATE,
    INTEGER,
    LOCAL_MOMENT,
    MOMENT,
    NUMBER,
    TEXT,
    TIME,
    as_text,
    cast_to,
    joined,
    kind_of,
    settled,
)
from smsflow_provider.core.errors import AudienceError

NOTHING, YES_NO = pa.null(), pa.bool_()
DECIMAL_2, DECIMAL_4 = pa.decimal128(38, 2), pa.decimal128(38, 4)
SETTLED = [NOTHING, YES_NO, INTEGER, NUMBER, DECIMAL_2, DECIMAL_4, TEXT]
SETTLED += [DATE, TIME, MOMENT, LOCAL_MOMENT]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pa.int8(), INTEGER),
        (pa.uint32(), INTEGER),
        (pa.uint64(), INTEGER),
        (pa.float32(), NUMBER),
        (pa.large_string(), TEXT),
        (pa.string_view(), TEXT),
        (pa.dictionary(pa.int8(), pa.large_string()), TEXT),
        (pa.dictionary(pa.int8(), pa.int16()), INTEGER),
        (pa.date64(), DATE),
        (pa.time32("s"), TIME),
        (pa.time64("ns"), TIME),
        (pa.timestamp("s"), LOCAL_MOMENT),
        (pa.timestamp("ns", tz="Europe/Paris"), MOMENT),
        (pa.decimal128(9, 2), DECIMAL_2),
        (pa.decimal256(40, 4), DECIMAL_4),
        (pa.decimal128(9, -2), pa.decimal128(38, 0)),
        (pa.list_(pa.int8()), TEXT),
        (pa.struct([("a", pa.int8())]), TEXT),
        *[(kind, kind) for kind in SETTLED],
    ],
)
def test_every_type_settles_on_one_of_few(given: pa.DataType, expected: pa.DataType) -> None:
    assert expected == settled(pa.nulls(2, given), name="c").type


def test_settling_changes_no_value() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001  without a zone on purpose
    for array, values in [
        (pa.array([1, None], pa.uint8()), [1, None]),
        (pa.array(["é", None], pa.large_string()), ["é", None]),
        (pa.array([moment, None], pa.timestamp("ns")), [moment, None]),
        (pa.array([Decimal("1.5")], pa.decimal128(5, 3)), [Decimal("1.500")]),
        (pa.array([2**64 - 1], pa.uint64()), [Decimal(2**64 - 1)]),
        (pa.array([time(1, 2)], pa.time32("s")), [time(1, 2)]),
    ]:
        assert values == settled(array, name="c").to_pylist()


def test_a_moment_with_a_zone_becomes_utc() -> None:
    noon = pa.array([0], pa.int64()).cast(pa.timestamp("us", tz="Asia/Tokyo"))

    assert "UTC" == settled(noon, name="c").type.tz
    assert [0] == settled(noon, name="c").cast(pa.int64()).to_pylist()


def test_lists_and_records_become_json() -> None:
    lists = pa.array([["é", "b"], None, []])
    records = pa.array([{"a": 1, "on": date(2026, 1, 2)}])

    assert ['["é", "b"]', None, "[]"] == settled(lists, name="c").to_pylist()
    assert ['{"a": 1, "on": "2026-01-02"}'] == settled(records, name="c").to_pylist()


def test_a_uuid_becomes_its_usual_text() -> None:
    one = UUID("12345678-1234-5678-1234-567812345678")
    array = pa.array([one.bytes, None], pa.uuid())

    assert [str(one), None] == settled(array, name="c").to_pylist()


@pytest.mark.parametrize("kind", [pa.binary(), pa.duration("s"), pa.large_binary()])
def test_what_no_text_can_show_is_refused_by_column(kind: pa.DataType) -> None:
    with pytest.raises(AudienceError, match="cast it to text") as caught:
        settled(pa.nulls(1, kind), name="photo")
    assert {"column": "photo", "type": str(kind)} == caught.value.facts


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([33612345678.0, None], ["33612345678", None]),
        ([612345678.5], ["612345678.5"]),
        ([float("nan")], [None]),
        ([float("inf"), 1e300], ["inf", "1e+300"]),
        ([33612345678], ["33612345678"]),
        ([Decimal("33612345678.00"), Decimal("1.50")], ["33612345678", "1.50"]),
        (["+33 6", "", None], ["+33 6", "", None]),
        ([None], [None]),
    ],
)
def test_a_number_is_written_as_a_person_would(
    values: list[object], expected: list[str | None]
) -> None:
    assert expected == as_text(settled(pa.array(values), name="c")).to_pylist()


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_every_phone_survives_a_spreadsheet(phone: int) -> None:
    for array in (pa.array([float(phone)]), pa.array([phone]), pa.array([str(phone)])):
        assert [str(phone)] == as_text(array).to_pylist()


@given(one=st.sampled_from(SETTLED), other=st.sampled_from(SETTLED))
def test_joining_does_not_depend_on_the_order(one: pa.DataType, other: pa.DataType) -> None:
    assert joined(one, other) == joined(other, one)


@given(*[st.sampled_from(SETTLED)] * 3)
def test_joining_three_does_not_depend_on_the_order_unless_it_fails(
    a: pa.DataType, b: pa.DataType, c: pa.DataType
) -> None:
    found = {
        step and joined(step, last)
        for step, last in [(joined(a, b), c), (joined(b, c), a), (joined(a, c), b)]
    } - {None}
    assert len(found) <= 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NOTHING, DATE, DATE),
        (INTEGER, NUMBER, NUMBER),
        (INTEGER, DECIMAL_2, DECIMAL_2),
        (DECIMAL_2, DECIMAL_4, DECIMAL_4),
        (DECIMAL_2, NUMBER, NUMBER),
        (INTEGER, TEXT, TEXT),
        (MOMENT, TEXT, TEXT),
        (DATE, LOCAL_MOMENT, LOCAL_MOMENT),
        (DATE, MOMENT, None),
        (LOCAL_MOMENT, MOMENT, None),
        (YES_NO, INTEGER, None),
        (DATE, INTEGER, None),
    ],
)
def test_types_join_only_where_it_is_honest(
    one: pa.DataType, other: pa.DataType, expected: pa.DataType | None
) -> None:
    assert expected == joined(one, other)


def test_a_cast_that_would_change_a_value_is_refused() -> None:
    with pytest.raises(AudienceError, match="do not fit one type") as caught:
        cast_to(pa.array([2**60 + 1]), NUMBER, name="points")

    assert "points" == caught.value.facts["column"]
    assert str(2**60 + 1) not in str(caught.value)


def test_types_have_names_of_our_own() -> None:
    assert ["nothing", "boolean", "integer", "number", "decimal_2", "decimal_4", "text"] == [
        kind_of(kind) for kind in SETTLED[:7]
    ]
    assert ["date", "time", "moment", "local_moment"] == [kind_of(kind) for kind in SETTLED[7:]]
