"""The one home of pandas: data frames of a user's function, turned into column batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from smsflow_provider.core.audience.rows import array_of
from smsflow_provider.core.audience.source import BATCH_ROWS
from smsflow_provider.core.errors import AudienceError


def frame_batches(result: object, *, label: str) -> Iterator[pa.RecordBatch]:
    """
    Turn what a function returned into batches.

    An index without a name is dropped, as it says nothing; one with a name becomes columns.
    Missing values of every pandas flavour (NaN, NaT, NA, None) become empty cells. A column that
    mixes numbers and texts becomes text.

    Args:
        result: A pandas ``DataFrame``, or an iterable of them with the same columns.
        label: What errors call the function.

    Raises:
        AudienceError: It returned something else, or a column cannot be kept.
    """
    if isinstance(result, pd.DataFrame):
        yield from _batches_of(result, label=label)
        return
    for number, frame in enumerate(_iterated(result, label=label), start=1):
        if not isinstance(frame, pd.DataFrame):
            raise AudienceError(
                "a function of an audience must yield pandas DataFrames",
                source=label,
                item=number,
                got=type(frame).__name__,
            )
        yield from _batches_of(frame, label=label)


def _iterated(result: object, *, label: str) -> Iterator[object]:
    if isinstance(result, str | bytes | dict) or not hasattr(result, "__iter__"):
        hint = ": does it end in a return?" if result is None else ""
        raise AudienceError(
            f"a function of an audience must return a pandas DataFrame{hint}",
            source=label,
            got=type(result).__name__,
        )
    return iter(result)


def _batches_of(frame: pd.DataFrame, *, label: str) -> Iterator[pa.RecordBatch]:
    if isinstance(frame.columns, pd.MultiIndex):
        raise AudienceError("columns in several levels cannot be used: flatten them", source=label)
    for start in range(0, max(len(frame), 1), BATCH_ROWS):
        yield _batch_of(_with_index(frame.iloc[start : start + BATCH_ROWS], label=label))


def _with_index(frame: pd.DataFrame, *, label: str) -> pd.DataFrame:
    if all(name is None for name in frame.index.names):
        return frame
    clash = sorted({str(name) for name in frame.index.names} & {str(n) for n in frame.columns})
    if clash:
        raise AudienceError("an index has the name of a column", source=label, columns=clash)
    return frame.reset_index()


def _batch_of(frame: pd.DataFrame) -> pa.RecordBatch:
    names = [str(name) for name in frame.columns]
    arrays = [_array_of(frame.iloc[:, place], name=name) for place, name in enumerate(names)]
    return pa.RecordBatch.from_arrays(arrays, names)


def _array_of(series: Any, *, name: str) -> pa.Array:
    if series.dtype == object:
        present = series.notna()
        values = [
            value if keep else None for value, keep in zip(series.tolist(), present, strict=True)
        ]
        return array_of([_plain(value) for value in values], name=name)
    found = pa.array(series, from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _plain(value: Any) -> Any:
    """Unwrap numpy's scalars; pandas keeps them inside columns of objects."""
    return value.item() if hasattr(value, "item") and hasattr(value, "dtype") else value
