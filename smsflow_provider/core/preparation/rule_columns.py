"""What the rules ask of a row besides its number, as small columns."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.errors import ConfigError

#: Highest threshold of a pressure rule; a higher one is taken as this one.
HIGHEST_THRESHOLD: Final = 32_767


class RuleColumn(StrEnum):
    """Names of the rule columns. A column of any other name is a threshold of a pressure rule."""

    #: Text: the sender of the row's message. Missing, null or empty: the gateway's own.
    SENDER = "sender"
    #: Number from 1 of the first user filter that holds for the row. Null or 0: none.
    FILTER = "filter"
    #: The date or number of which the highest wins among duplicates.
    DUPLICATE_BY = "duplicate_by"
    #: The date or number whose highest values make the control group.
    CONTROL_BY = "control_by"
    #: The date or number whose highest values stay within the size limit.
    LIMIT_BY = "limit_by"


#: Rule columns of which only the order of the values matters.
RANKINGS: Final = frozenset({RuleColumn.DUPLICATE_BY, RuleColumn.CONTROL_BY, RuleColumn.LIMIT_BY})


def dense_ranks(pieces: Sequence[pl.Series]) -> NDArray[np.uint32]:
    """
    Give each value its place among all different values, from 1 for the lowest.

    Args:
        pieces: Parts of one column, in order: numbers, dates, times or Booleans.

    Returns:
        Equal values have equal places; null and NaN have 0.

    Raises:
        ConfigError: Values that have no such order: texts would put 10 before 9.

    Example:
        >>> dense_ranks([pl.Series("points", [30, None]), pl.Series("points", [7.5, 30])])
        array([2, 0, 1, 2], dtype=uint32)
    """
    frames = [values.to_frame() for values in pieces]
    values = pl.concat(frames, how="vertical_relaxed").to_series()
    kind = values.dtype
    if not (kind.is_numeric() or kind.is_temporal() or kind in (pl.Boolean, pl.Null)):
        raise ConfigError(
            "a column of this type cannot be ranked: numbers, dates and times can",
            rule_column=values.name,
            type=str(kind),
        )
    if kind.is_float():
        values = values.fill_nan(None)
    if kind in (pl.Boolean, pl.Null):
        values = values.cast(pl.UInt8)
    return values.rank("dense").cast(pl.UInt32).fill_null(0).to_numpy()


def thresholds_of(values: pl.Series) -> NDArray[np.int16]:
    """
    Read how many messages each row may have had, as small numbers.

    A count reaches 2.5 when it reaches 3; below zero is zero; null and NaN are -1, none.

    Raises:
        ConfigError: These are no numbers.

    Example:
        >>> thresholds_of(pl.Series("most_weekly", [3, 0, None, -2]))
        array([ 3,  0, -1,  0], dtype=int16)
    """
    kind = values.dtype
    if not (kind.is_numeric() or kind == pl.Null):
        raise ConfigError("a threshold is a number", rule_column=values.name, type=str(kind))
    numbers: Any = values.cast(pl.Float64).fill_nan(None).ceil().clip(0, HIGHEST_THRESHOLD)
    found: NDArray[np.int16] = numbers.fill_null(-1).cast(pl.Int16).to_numpy()
    return found
