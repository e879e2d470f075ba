"""Which numbers are on a list, a block at a time; what every rule with a list is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.preparation.candidates import Rows

Found = tuple[Rows, str]
"""Rows that a reason holds for, and what exactly it is about."""

Phones = NDArray[np.uint64]
List = TypeVar("List")


def on_list(phones: Phones, numbers: pl.Series) -> NDArray[np.bool_]:
    """Tell of each phone whether it is among *numbers* (UInt64, in any order, also repeated)."""
    found: NDArray[Any] = pl.Series(phones).is_in(numbers.implode()).to_numpy()
    return found


def counts_of(phones: Phones, counted: pl.DataFrame) -> NDArray[np.int64]:
    """Give each phone its ``count`` in *counted* (``phone``, each once), 0 if it is not there."""
    asked = pl.DataFrame({"phone": pl.Series(phones, dtype=pl.UInt64)})
    joined = asked.join(counted, on="phone", how="left", maintain_order="left")
    return joined["count"].fill_null(0).cast(pl.Int64).to_numpy()


def list_of(lists: Mapping[str, List], name: str, *, what: str) -> List:
    """
    Find a list by name.

    Raises:
        ValueError: It was not loaded: that must never pass for an empty one.
    """
    if name not in lists:
        raise ValueError(f"not loaded: {what} {name!r}")
    return lists[name]
