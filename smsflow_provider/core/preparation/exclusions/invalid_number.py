"""Excluded as ``invalid_number``: phones that are no number, or none that may get a text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from smsflow_provider.core.preparation.candidates import (
    KIND_CODE,
    PROBLEM_CODE,
    Candidates,
    Rows,
)
from smsflow_provider.core.preparation.exclusions.membership import Found
from smsflow_provider.core.preparation.population import Numbers

#: What stands in place of a country for numbers of none, such as +800.
NO_COUNTRY = "no country"


def invalid_number(candidates: Candidates, rule: Numbers) -> Iterator[Found]:
    """
    Find the rows whose phone cannot be texted.

    Yields:
        Rows, and what is wrong: the problem of the number (``too_short``), the kind that is
        refused (``kind premium``), or the country that may not be texted (``country BE``).
    """
    for rows in candidates.waiting():
        yield from _problems(candidates, rows)
        yield from _kinds(candidates, rows, rule)
        yield from _countries(candidates, rows, rule)


def _problems(candidates: Candidates, rows: Rows) -> Iterator[Found]:
    found = candidates.columns.problem[rows]
    for problem, code in PROBLEM_CODE.items():
        yield rows[found == code], problem.value
    yield rows[candidates.columns.phone[rows] == 0], ""


def _kinds(candidates: Candidates, rows: Rows, rule: Numbers) -> Iterator[Found]:
    found = candidates.columns.kind[rows]
    for kind, code in KIND_CODE.items():
        if kind in rule.refuse:
            yield rows[found == code], f"kind {kind.value}"


def _countries(candidates: Candidates, rows: Rows, rule: Numbers) -> Iterator[Found]:
    if not rule.countries:
        return
    found = candidates.columns.region[rows]
    for code in np.unique(found):
        country = candidates.regions[int(code)]
        if country not in rule.countries:
            yield rows[found == code], f"country {country}" if country else NO_COUNTRY
