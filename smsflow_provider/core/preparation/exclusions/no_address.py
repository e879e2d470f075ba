"""Excluded as ``no_address``: rows without a phone."""

from __future__ import annotations

from collections.abc import Iterator

from smsflow_provider.core.preparation.candidates import PROBLEM_CODE, Candidates
from smsflow_provider.core.preparation.exclusions.membership import Found
from smsflow_provider.core.preparation.number_value import NumberProblem


def no_address(candidates: Candidates) -> Iterator[Found]:
    """Find the rows where nothing stands in the place of the phone."""
    code = PROBLEM_CODE[NumberProblem.NO_ADDRESS]
    for rows in candidates.waiting():
        yield rows[candidates.columns.problem[rows] == code], ""
