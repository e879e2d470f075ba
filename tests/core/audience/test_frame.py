from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.frame import frame_batches
from smsflow_provider.core.audience.source import BATCH_ROWS
from smsflow_provider.core.errors import AudienceError
from tests.core.audience.people import BatchSource, built, rows_of


def table_of(result: object) -> pa.Table:
    return pa.Table.from_batches(frame_batches(result, label="find_people"))


def column(values: Any) -> list[Any]:
    found: list[Any] = table_of(pd.DataFrame({"c": values})).column("c").to_pylist()
    return found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["06", None, np.nan], ["06", None, None]),
        ([1, 2, 3], [1, 2, 3]),
        ([1.5, np.nan, 2.0], [1.5, None, 2.0]),
        (pd.array([1, None, 2], dtype="Int64"), [1, None, 2]),
        (pd.array([True, None], dtype="boolean"), [True, None]),
        (pd.Categorical(["a", "b", None]), ["a", "b", None]),
        ([True, False], [True, False]),
        ([Decimal("1.50"), None], [Decimal("1.50"), None]),
        ([date(2026, 1, 2), None], [date(2026, 1, 2), None]),
        ([1, "a", None, pd.NA, pd.NaT], ["1", "a", None, None, None]),
        (pd.Series([np.int64(3), np.str_("a")], dtype=object), ["3", "a"]),
        ([{"a": 1}, [2]], ['{"a": 1}', "[2]"]),
        ([None, None], [None, None]),
        (pd.to_datetime(["2026-01-02", None]), [datetime(2026, 1, 2), None]),  # noqa: DTZ001
        (pd.to_datetime(["2026-01-02"], utc=True), [datetime(2026, 1, 2, tzinfo=UTC)]),
        (pd.array(["06", None], dtype="string[pyarrow]"), ["06", None]),
    ],
)
def test_cells_of_every_flavour_come_out_plain(values: Any, expected: list[object]) -> None:
    assert expected == column(values)


def test_frames_may_come_one_by_one() -> None:
    def frames() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"phone": ["a"]})
        yield pd.DataFrame({"phone": ["b", "c"]})

    assert ["a", "b", "c"] == table_of(frames()).column("phone").to_pylist()
    assert ["b"] == table_of([pd.DataFrame({"phone": ["b"]})]).column("phone").to_pylist()


def test_a_large_frame_is_cut_into_batches() -> None:
    frame = pd.DataFrame({"phone": np.arange(BATCH_ROWS + 1)})

    assert [BATCH_ROWS, 1] == [one.num_rows for one in frame_batches(frame, label="f")]


def test_a_frame_without_rows_still_tells_its_columns() -> None:
    table = table_of(pd.DataFrame({"phone": [], "x": []}))

    assert (["phone", "x"], 0) == (table.column_names, table.num_rows)


def test_an_index_with_a_name_becomes_a_column_and_one_without_is_dropped() -> None:
    frame = pd.DataFrame({"no": [7, 8], "phone": ["a", "b"]})

    assert ["no", "phone"] == table_of(frame.set_index("no")).column_names
    assert ["no", "phone"] == table_of(frame[frame["no"] > 7]).column_names


def test_an_index_and_a_column_of_one_name_are_refused() -> None:
    frame = pd.DataFrame({"phone": ["a"]}, index=pd.Index([1], name="phone"))

    with pytest.raises(AudienceError, match="index has the name") as caught:
        table_of(frame)
    assert ["phone"] == caught.value.facts["columns"]


def test_columns_in_levels_are_refused() -> None:
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))

    with pytest.raises(AudienceError, match="flatten"):
        table_of(frame)


def test_names_that_are_numbers_become_texts() -> None:
    assert ["0", "1"] == table_of(pd.DataFrame([["a", "b"]])).column_names


@pytest.mark.parametrize("result", [None, "text", {"phone": ["a"]}, 7])
def test_another_result_is_refused_by_its_type(result: object) -> None:
    with pytest.raises(AudienceError, match="must return a pandas DataFrame") as caught:
        table_of(result)
    assert {"source": "find_people", "got": type(result).__name__} == caught.value.facts
    assert (result is None) == ("return?" in str(caught.value))


def test_another_item_is_refused_by_its_place() -> None:
    with pytest.raises(AudienceError, match="must yield") as caught:
        table_of([pd.DataFrame({"phone": ["a"]}), ["b"]])
    assert {"source": "find_people", "item": 2, "got": "list"} == caught.value.facts


def test_a_cell_that_cannot_be_kept_is_named_by_column_only() -> None:
    with pytest.raises(AudienceError) as caught:
        column(["0612345678", b"0612345678"])
    assert {"column": "c", "type": "bytes"} == caught.value.facts


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.text(alphabet="+0123456789 é", max_size=12),
            st.integers(-(2**53), 2**53),
            st.none() | st.text(alphabet="abc", max_size=3),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_pandas_and_a_query_give_the_same_people(
    tmp_path_factory: Any, rows: list[tuple[Any, ...]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("same")
    by_rows = built(folder, ["phone", "n", "t"], rows)
    frame = pd.DataFrame(rows, columns=["phone", "n", "t"])
    source = BatchSource(given=tuple(frame_batches(frame, label="f")))
    by_pandas = build_audience(source, target=folder / "pandas.parquet")

    assert by_pandas is not None
    assert by_rows.fingerprint == by_pandas.fingerprint
    assert rows_of(by_rows) == rows_of(by_pandas)
