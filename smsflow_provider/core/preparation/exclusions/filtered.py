"""Excluded as ``filtered``: people a rule of the user's, or of the environment, keeps out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.membership import Found, on_list
from smsflow_provider.core.preparation.rule_columns import RuleColumn

#: What exactly, where the number is not among the only ones that may be texted.
NOT_ALLOWED = "not on the allow-list of this environment"


def filtered(
    candidates: Candidates, filters: Sequence[str], *, allowed: pl.Series | None
) -> Iterator[Found]:
    """
    Find the rows for which a filter holds, and those that are not on the allow-list.

    Args:
        filters: Names; the rule column ``filter`` says which is the first that holds.
        allowed: The only numbers that may be texted. None: all.

    Yields:
        Rows, and the name of the filter or ``NOT_ALLOWED``.

    Raises:
        ValueError: There are filters and no rule column of them.
    """
    if filters:
        yield from _by_filter(candidates, filters)
    if allowed is not None:
        for rows in candidates.waiting():
            yield rows[~on_list(candidates.columns.phone[rows], allowed)], NOT_ALLOWED


def _by_filter(candidates: Candidates, filters: Sequence[str]) -> Iterator[Found]:
    numbers = candidates.rule_values(RuleColumn.FILTER)
    for rows in candidates.waiting():
        found = numbers[rows]
        for number in np.unique(found[found > 0]):
            yield rows[found == number], filters[int(number) - 1]
