"""The values of columns that can make a text long, out of any number of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import polars as pl
import pyarrow as pa

from smsflow_provider.core.content.encoding import GSM_CHARACTERS
from smsflow_provider.core.content.trial import Known

#: A column of no more distinct values is kept whole.
MOST_DISTINCT: Final = 6
_GSM: Final = "".join(f"\\x{{{ord(one):X}}}" for one in sorted(GSM_CHARACTERS))


def extremes_of(batches: Iterable[pa.RecordBatch], fields: Collection[str]) -> Known:
    """
    Read rows, and keep for each of *fields* the values worth trying in a template.

    Of a text: the longest, and the longest that is not GSM 7-bit. Of numbers, dates and times: the
    greatest, the least and the one that takes most characters. Of a column that holds six values
    or fewer: all. Lists and structs are left out.

    Args:
        batches: Rows in any number of batches; one is held at a time.
        fields: Columns to look at; those that are not there are left out.

    Returns:
        Names of all columns, and the values. These are personal data: not for logs.

    Example:
        >>> batch = pa.RecordBatch.from_pydict({"name": [*"abcdef", "Zoé", "Lô"]})
        >>> extremes_of([batch], ["name", "city"]).values
        {'name': ('Zoé', 'Lô')}
    """
    kept: dict[str, _Column] = {}
    columns: set[str] = set()
    for batch in batches:
        frame = pl.DataFrame(batch)
        columns |= set(frame.columns)
        for name in set(fields) & set(frame.columns):
            # No order tells which of two lists or structs makes the longer text.
            if not frame.schema[name].is_nested():
                kept.setdefault(name, _Column()).add(frame[name])
    return Known(
        columns=frozenset(columns),
        values=_in_order({name: column.values for name, column in kept.items()}, fields),
        complete=frozenset(name for name, column in kept.items() if column.distinct is not None),
    )


def _in_order(
    values: Mapping[str, tuple[object, ...]], fields: Collection[str]
) -> dict[str, tuple[object, ...]]:
    return {name: values[name] for name in fields if name in values}


class _Column:
    """What was seen of one column so far."""

    def __init__(self) -> None:
        #: All values, None once there are too many.
        self.distinct: dict[Any, None] | None = {}
        self._extremes: dict[Any, None] = {}

    @property
    def values(self) -> tuple[object, ...]:
        found = self._extremes if self.distinct is None else self.distinct
        return tuple(sorted(found, key=lambda one: -len(str(one))))

    def add(self, series: pl.Series) -> None:
        series = series.drop_nulls()
        if not len(series):
            return
        if self.distinct is not None:
            self.distinct |= dict.fromkeys(series.unique(maintain_order=True).to_list())
            self.distinct = self.distinct if len(self.distinct) <= MOST_DISTINCT else None
        both = pl.concat([series, pl.Series(list(self._extremes), dtype=series.dtype)])
        self._extremes = dict.fromkeys(_extremes(both))


def _extremes(series: pl.Series) -> list[Any]:
    lengths = series.cast(pl.String, strict=False).str.len_chars()
    longest = series[lengths.arg_max() or 0]
    if series.dtype != pl.String:
        return [longest, series.max(), series.min()]
    foreign = series.filter(series.str.contains(f"[^{_GSM}]"))
    if not len(foreign):
        return [longest]
    return [longest, foreign[foreign.str.len_chars().arg_max() or 0]]
