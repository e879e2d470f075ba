"""Choose so many of those still in, without sorting them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from smsflow_provider.core.preparation.candidates import Candidates, Rows

Key = Callable[[Rows], NDArray[np.uint64]]
"""Gives rows their place in a queue: the lowest are chosen."""


def chosen(
    candidates: Candidates, count: int, *, key: Key
) -> Iterator[tuple[Rows, NDArray[np.bool_]]]:
    """
    Choose *count* of those still in, or all if there are fewer: the lowest by *key*.

    Of rows with equal keys the first are chosen. Holds 8 bytes for each row meanwhile.

    Yields:
        All who are still in, a block at a time, and whether each is chosen.
    """
    last, spare = _last_chosen(candidates, count, key=key)
    for rows in candidates.waiting():
        keys = key(rows)
        tied = np.flatnonzero(keys == last)[:spare]
        is_chosen = keys < last
        is_chosen[tied] = True
        spare -= len(tied)
        yield rows, is_chosen


def _last_chosen(candidates: Candidates, count: int, *, key: Key) -> tuple[np.uint64, int]:
    """Give the highest key that is chosen, and how many rows with just that key are."""
    keys = np.empty(candidates.waiting_count, dtype=np.uint64)
    filled = 0
    for rows in candidates.waiting():
        keys[filled : filled + len(rows)] = key(rows)
        filled += len(rows)
    count = min(count, filled)
    if count == 0:
        return np.uint64(0), 0
    keys.partition(count - 1)
    last = keys[count - 1]
    return last, count - int(np.count_nonzero(keys[:count] < last))


def highest_first(ranks: NDArray[np.uint32]) -> Key:
    """Give the key that chooses the highest ranks first; rank 0, no value, comes last."""
    highest = np.iinfo(np.uint32).max
    return lambda rows: (highest - ranks[rows]).astype(np.uint64)


def first_rows(rows: Rows) -> NDArray[np.uint64]:
    """Give the key that chooses by the order of the audience."""
    return rows.astype(np.uint64)
