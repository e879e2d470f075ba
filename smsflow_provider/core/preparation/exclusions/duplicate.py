"""Excluded as ``duplicate``: of several rows with one number one gets the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.preparation.candidates import Candidates, Rows
from smsflow_provider.core.preparation.population import Duplicates, Winner
from smsflow_provider.core.preparation.rule_columns import RuleColumn

#: Rows that are looked at together; those of one number always are.
_SHARE_ROWS: Final = 500_000
_MOST_SHARES: Final = 254
#: 2^64 / golden ratio: spreads phones evenly, however they were given out.
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_OUT: Final = 255

Places = NDArray[np.uint32]


def duplicates(candidates: Candidates, rule: Duplicates) -> tuple[Places, Places]:
    """
    Find the rows that lose to another row of the same number.

    Only rows that are still in take part, so nobody loses to a row that gets no text for an
    earlier reason. The winner is the first row, or the one with the highest value of the rule
    column ``duplicate_by``; a row without a value loses; of equal ones the first wins.

    Returns:
        Places of the losers, and for each the place of its winner.

    Raises:
        ValueError: The rule column is not there.
    """
    ranks = None
    if rule.keep is not Winner.FIRST:
        ranks = candidates.rule_values(RuleColumn.DUPLICATE_BY)
    losers: list[Places] = []
    winners: list[Places] = []
    for rows in _shares(candidates):
        twins = rows[pl.Series(candidates.columns.phone[rows]).is_duplicated().to_numpy()]
        lost, won = _decided(twins, candidates.columns.phone[twins], ranks)
        losers.append(lost)
        winners.append(won)
    return np.concatenate(losers), np.concatenate(winners)


def _shares(candidates: Candidates) -> Iterator[Rows]:
    """Hand out those still in, in shares that have no number in common; bounds the memory."""
    shares = min(len(candidates) // _SHARE_ROWS + 1, _MOST_SHARES)
    share_of = np.full(len(candidates), _OUT, dtype=np.uint8)
    for rows in candidates.waiting():
        mixed = candidates.columns.phone[rows] * _SPREAD >> np.uint64(32)
        share_of[rows] = mixed % np.uint64(shares)
    for share in range(shares):
        yield np.flatnonzero(share_of == share)


def _decided(
    rows: Rows, phones: NDArray[np.uint64], ranks: NDArray[Any] | None
) -> tuple[Places, Places]:
    """Tell losers and winners among rows that all have a twin."""
    by = np.zeros(len(rows), dtype=np.int64) if ranks is None else -ranks[rows].astype(np.int64)
    order = np.lexsort((rows, by, phones))
    rows, phones = rows[order], phones[order]
    is_first = np.append(True, phones[1:] != phones[:-1])[: len(rows)]
    winner_of = rows[is_first][np.cumsum(is_first) - 1]
    return rows[~is_first].astype(np.uint32), winner_of[~is_first].astype(np.uint32)
