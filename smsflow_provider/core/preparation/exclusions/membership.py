"""Which numbers are on a list, a block at a time; what every rule with a list is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.preparation.candidates import Rows

Found = tuple[Rows, str]
"""Rows that a reason holds for, and what exactly it is about."""

#: Numbers of a list that are looked up at once: the table made of them stays small.
_PIECE_ROWS: Final = 1_000_000

Phones = NDArray[np.uint64]
List = TypeVar("List")


def on_list(phones: Phones, numbers: pl.Series) -> NDArray[np.bool_]:
    """Tell of each phone whether it is among *numbers* (UInt64, in any order, also repeated)."""
    asked = pl.Series(phones, dtype=pl.UInt64)
    found = np.zeros(len(phones), dtype=np.bool_)
    for start in range(0, len(numbers), _PIECE_ROWS):
        found |= asked.is_in(numbers.slice(start, _PIECE_ROWS).implode()).to_numpy()
    return found


def counts_of(phones: Phones, counted: pl.DataFrame) -> NDArray[np.int64]:
    """Give each phone its ``count`` in *counted* (``phone``, each once), 0 if it is not there."""
    asked = pl.DataFrame({"phone": pl.Series(phones, dtype=pl.UInt64)})
    counts = np.zeros(len(phones), dtype=np.int64)
    for piece in counted.iter_slices(_PIECE_ROWS):
        joined = asked.join(piece, on="phone", how="left", maintain_order="left")
        counts += joined["count"].fill_null(0).to_numpy()
    return counts


def list_of(lists: Mapping[str, List], name: str, *, what: str) -> List:
    """
    Find a list by name.

    Raises:
        ValueError: It was not loaded: that must never pass for an empty one.
    """
    if name not in lists:
        raise ValueError(f"not loaded: {what} {name!r}")
    return lists[name]
