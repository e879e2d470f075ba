from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.fingerprint import Fingerprint
from smsflow_provider.core.audience.rows import batch_of
from smsflow_provider.core.audience.spool import fitted, read_batches

NAMES = ["t", "i", "n", "d", "on", "b"]
SCHEMA = pa.schema(
    [
        ("t", pa.string()),
        ("i", pa.int64()),
        ("n", pa.float64()),
        ("d", pa.decimal128(38, 2)),
        ("on", pa.date32()),
        ("b", pa.bool_()),
    ]
)
ROW: tuple[Any, ...] = ("a", 1, 1.5, Decimal("2.25"), date(2026, 1, 2), True)

row = st.tuples(
    st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5),
    st.none() | st.integers(min_value=-(2**40), max_value=2**40),
    st.none() | st.floats(),
    st.none() | st.integers(min_value=-(10**9), max_value=10**9).map(lambda n: Decimal(n) / 100),
    st.none() | st.dates(),
    st.none() | st.booleans(),
)


def batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    return fitted(batch_of(NAMES, rows), SCHEMA)


def hash_of(*batches: pa.RecordBatch, schema: pa.Schema = SCHEMA) -> str:
    fingerprint = Fingerprint(schema)
    for one in batches:
        fingerprint.update(one)
    return fingerprint.hexdigest()


@given(rows=st.lists(row, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_it_does_not_matter_how_the_rows_are_cut(
    rows: list[tuple[Any, ...]], cuts: list[int]
) -> None:
    ends = sorted({0, len(rows), *(cut for cut in cuts if cut <= len(rows))})
    whole = batch(rows)
    slices = [whole.slice(a, b - a) for a, b in pairwise(ends)]
    copies = [batch(rows[a:b]) for a, b in pairwise(ends)]

    assert hash_of(whole) == hash_of(*slices) == hash_of(*copies)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(row, min_size=1, max_size=20), version=st.sampled_from(["1.0", "2.4", "2.6"]))
def test_it_does_not_matter_how_the_file_was_written(
    tmp_path_factory: Any, rows: list[tuple[Any, ...]], version: str
) -> None:
    path: Path = tmp_path_factory.mktemp("written") / "a.parquet"
    table = pa.Table.from_batches([batch(rows)])
    pq.write_table(
        table, path, version=version, compression="snappy", row_group_size=3, use_dictionary=False
    )

    with pq.ParquetFile(path) as file:
        assert hash_of(batch(rows)) == hash_of(*read_batches(file, rows=7))


@given(rows=st.lists(row, min_size=1, max_size=8), data=st.data())
def test_any_changed_cell_changes_it(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(NAMES) - 1))
    other = data.draw(row)
    changed = [list(one) for one in rows]
    changed[place][column] = other[column]
    is_same = repr(rows[place][column]) == repr(other[column]) or (
        rows[place][column] == other[column] and rows[place][column] != 0
    )

    assert is_same == (hash_of(batch(rows)) == hash_of(batch([tuple(one) for one in changed])))


@given(rows=st.lists(row, min_size=2, max_size=8, unique_by=repr))
def test_the_order_of_rows_counts(rows: list[tuple[Any, ...]]) -> None:
    assert hash_of(batch(rows)) != hash_of(batch(rows[::-1]))


def test_texts_are_kept_apart() -> None:
    """The bytes of "ab", "c" and "a", "bc" are the same; the people are not."""
    schema = pa.schema([("t", pa.string())])
    hashes = {
        hash_of(batch_of(["t"], [(one,) for one in texts]), schema=schema)
        for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["abc", None], ["", "abc"])
    }
    assert 6 == len(hashes)


def test_nothing_zero_and_blank_are_three_things() -> None:
    cells: list[tuple[Any, ...]] = [(None, None), (0, None), (None, ""), (0, "")]
    schema = pa.schema([("i", pa.int64()), ("t", pa.string())])

    assert 4 == len(
        {hash_of(fitted(batch_of(["i", "t"], [cell]), schema), schema=schema) for cell in cells}
    )


def test_names_types_and_order_of_columns_count() -> None:
    kinds = [
        [("a", pa.int64()), ("b", pa.int64())],
        [("b", pa.int64()), ("a", pa.int64())],
        [("a", pa.float64()), ("b", pa.int64())],
        [("a", pa.int64())],
    ]
    assert 4 == len({hash_of(schema=pa.schema(kind)) for kind in kinds})


def test_what_lies_under_an_empty_cell_does_not_count() -> None:
    """Arrow leaves old bytes behind where a cell was emptied."""
    clean = pa.array([None, 2], pa.int64())
    dirty = pa.Array.from_buffers(
        pa.int64(), 2, [pa.py_buffer(b"\x02"), pa.array([77, 2], pa.int64()).buffers()[1]]
    )
    schema = pa.schema([("i", pa.int64())])

    assert clean.equals(dirty)
    assert hash_of(pa.record_batch([clean], schema=schema), schema=schema) == hash_of(
        pa.record_batch([dirty], schema=schema), schema=schema
    )


def test_the_rules_of_the_hash_do_not_change_unseen() -> None:
    """A new value here makes every stored reference unreadable where content is checked."""
    assert "835f3dfd" == hash_of(batch([ROW]))[:8]
