"""Excluded as ``quarantined``: numbers to which texts have failed for good."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.membership import Found, on_list


def quarantined(candidates: Candidates, numbers: pl.Series) -> Iterator[Found]:
    """Find the rows whose number is in quarantine, whoever they are."""
    for rows in candidates.waiting():
        yield rows[on_list(candidates.columns.phone[rows], numbers)], ""
