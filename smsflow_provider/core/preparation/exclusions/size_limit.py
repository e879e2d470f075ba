"""Excluded as ``size_limit``: whoever is left beyond the most people a delivery may reach."""

from __future__ import annotations

from collections.abc import Iterator

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.choosing import (
    Key,
    chosen,
    first_rows,
    highest_first,
)
from smsflow_provider.core.preparation.exclusions.membership import Found
from smsflow_provider.core.preparation.population import SizeLimit
from smsflow_provider.core.preparation.rule_columns import RuleColumn


def size_limit(candidates: Candidates, limit: SizeLimit) -> Iterator[Found]:
    """
    Find the rows beyond the limit: all but the first, or but the highest by ``limit_by``.

    Those who stay may still lose their text later (``missing_field``, ``too_long``): nobody
    moves up in their place.

    Raises:
        ValueError: The rule column is not there.
    """
    key: Key = first_rows
    if limit.by is not None:
        key = highest_first(candidates.rule_values(RuleColumn.LIMIT_BY))
    for rows, is_chosen in chosen(candidates, limit.count, key=key):
        yield rows[~is_chosen], ""
