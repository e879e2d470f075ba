"""Excluded as ``pressure``: people who have had, or will have, enough texts already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.membership import Found, counts_of, list_of
from smsflow_provider.core.preparation.rule_columns import HIGHEST_THRESHOLD
from smsflow_provider.core.store.contacts import DEFAULT_WEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """
    At most so many texts to one number in so many days, this one among them.

    Kept are those with strictly fewer texts than the threshold: sent ones of the last *days*, and
    planned ones of deliveries of a greater weight, or of the same weight and prepared earlier.

    Raises:
        ValueError: A number out of its range.
    """

    name: str
    #: Length of the rolling window that ends now, 1 to 366.
    days: int
    #: The threshold, 0 to 32,767. 0: nobody gets a text.
    most: int
    #: Rule column with a threshold of each row; null: ``most``.
    most_column: str = ""
    #: Weight of the delivery that is prepared.
    weight: int = DEFAULT_WEIGHT
    #: Classes of texts that count. Empty: all.
    classes: frozenset[MessageClass] = frozenset({MessageClass.MARKETING})

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 366:
            raise ValueError("the days of a pressure rule are 1 to 366")
        if not 0 <= self.most <= HIGHEST_THRESHOLD:
            raise ValueError(f"most of a pressure rule is 0 to {HIGHEST_THRESHOLD}")


def pressure(
    candidates: Candidates, rule: Pressure, *, contacts: Mapping[str, pl.DataFrame]
) -> Iterator[Found]:
    """
    Find those for whom texts had and planned reach the threshold.

    Args:
        rule: One rule.
        contacts: By name of a rule, ``phone`` UInt64 (each once) and ``count``.

    Yields:
        Rows, and the name of the rule.

    Raises:
        ValueError: The contacts of this rule were not read, or its rule column is not there.
    """
    counted = list_of(contacts, rule.name, what="contacts of the pressure rule")
    own = candidates.rule_values(rule.most_column) if rule.most_column else None
    for rows in candidates.waiting():
        counts = counts_of(candidates.columns.phone[rows], counted)
        most = rule.most if own is None else np.where(own[rows] < 0, rule.most, own[rows])
        yield rows[counts >= most], rule.name


def least_count(candidates: Candidates, rule: Pressure) -> int:
    """
    Give the least number of texts that can matter: lower counts need not be read.

    Returns:
        The lowest threshold above 0 of a row or of the rule; at least 1.
    """
    if not rule.most_column:
        return max(rule.most, 1)
    own = candidates.rule_values(rule.most_column)
    return int(own[own > 0].min(initial=max(rule.most, 1)))
