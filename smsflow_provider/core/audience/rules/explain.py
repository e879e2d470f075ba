"""What rules come to, before anybody is built into an audience: SQL, counts, a few masked rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from smsflow_provider.core.audience.layout import PHONE
from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.masking import masked_row
from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.audience.rules.count import (
    StepCount,
    check_links,
    read_counts,
    steps_of,
)
from smsflow_provider.core.audience.rules.missing import missing_told
from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.audience.rules.unique import each_once

#: Rows of a sample, if nobody says how many.
SAMPLE_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a plan says, and whom it finds now."""

    #: The statement that reads the people, as it would run. Holds the values of the rules.
    sql: str = field(repr=False)
    #: People of the table, before the first condition.
    everyone: int
    #: People for whom every condition is true.
    count: int
    #: Each condition with what it did.
    steps: tuple[StepCount, ...]
    #: The first people by key, with phones and addresses masked; names stay.
    sample: tuple[Mapping[str, object], ...] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Write it as plain data, for JSON."""
        return {
            "sql": self.sql,
            "everyone": self.everyone,
            "count": self.count,
            "steps": [step.as_dict() for step in self.steps],
            "sample": [dict(row) for row in self.sample],
        }


def explain(
    plan: Plan,
    *,
    dialect: str,
    connect: Callable[[], Any],
    label: str,
    limits: Limits,
    sample: int = SAMPLE_ROWS,
) -> Explanation:
    """
    Ask the database what *plan* comes to: two statements, one that counts and one for the sample.

    Args:
        plan: The conditions.
        dialect: Of the database.
        connect: Opens a DB-API connection; called twice, closed each time.
        label: What errors call the connection.
        limits: Of each statement.
        sample: Rows to show, 0 or more.

    Raises:
        AudienceError: A statement failed or took too long, a link to one row leads to several, or
            somebody of the sample is there twice.
    """
    from smsflow_provider.core.audience.rules.to_sql import select_sql  # noqa: PLC0415  sqlglot

    with missing_told(plan, dialect=dialect, connect=connect, label=label, limits=limits):
        counts = read_counts(plan, dialect=dialect, connect=connect, label=label, limits=limits)
    if not counts[0]:
        check_links(plan, dialect=dialect, connect=connect, label=label, limits=limits)
    few = QueryBatches(
        connect,
        sql=select_sql(plan, dialect=dialect, limit=max(sample, 1)),
        label=label,
        limits=Limits(time=limits.time),
    )
    rows = (
        [
            row
            for batch in each_once(few.batches(), plan=plan, label=label)
            for row in batch.to_pylist()
        ]
        if sample
        else []
    )
    return Explanation(
        sql=select_sql(plan, dialect=dialect),
        everyone=counts[0],
        count=counts[-1],
        steps=steps_of(plan, counts),
        sample=tuple(masked_row(row, phone=PHONE) for row in rows),
    )
