"""Excluded as ``excluded_audience``: people of another audience, by their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.membership import Found, list_of, on_list


def excluded_audience(
    candidates: Candidates, names: Sequence[str], *, audiences: Mapping[str, pl.Series]
) -> Iterator[Found]:
    """
    Find the rows whose number is in one of the audiences.

    Yields:
        Rows, and the name of the first audience they are in.

    Raises:
        ValueError: One of them was not loaded.
    """
    lists = [(name, list_of(audiences, name, what="audience")) for name in names]
    for rows in candidates.waiting():
        for name, numbers in lists:
            yield rows[on_list(candidates.columns.phone[rows], numbers)], name
