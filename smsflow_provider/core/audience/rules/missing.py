"""Which columns of a dimension its database does not have, told when a statement failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.audience.rules.reads import Need, reads_of
from smsflow_provider.core.errors import AudienceError

#: Databases to which quoted names in another case are other names.
_CASED: Final = frozenset({Dialect.POSTGRES, Dialect.SNOWFLAKE})


@contextmanager
def missing_told(
    plan: Plan, *, dialect: str, connect: Callable[[], Any], label: str, limits: Limits
) -> Iterator[None]:
    """
    Tell, of a statement of *plan* that the database refused, which columns are not there.

    Args:
        plan: What is asked inside.
        dialect: Of the database.
        connect: Opens a DB-API connection; called once for each table, when a statement failed.
        label: What errors call the database.
        limits: Of each statement.

    Raises:
        AudienceError: ``facts["problems"]`` lists the columns, each with the near name of the
            table; the error itself if none is missing or the tables cannot be asked.
    """
    try:
        yield
    except AudienceError as error:
        if "cause" not in error.facts:
            raise
        try:
            problems = _problems_of(
                plan, Dialect(dialect), connect=connect, label=label, limits=limits
            )
        except AudienceError:
            # The table itself is not there, or time is up: what failed first says it.
            problems = []
        if not problems:
            raise
        raise AudienceError(
            "the dimension has columns that the database has not", source=label, problems=problems
        ) from None


def _problems_of(
    plan: Plan, dialect: Dialect, *, connect: Callable[[], Any], label: str, limits: Limits
) -> list[str]:
    from smsflow_provider.core.audience.rules.table import table_probe  # noqa: PLC0415  sqlglot

    wanted: dict[str, dict[str, None]] = {}
    for each in reads_of(plan):
        if isinstance(each, Need):
            wanted.setdefault(each.table, {})[each.column] = None
    problems = []
    for table, names in wanted.items():
        sql, spelt = table_probe(table, names=names, dialect=dialect)
        query = QueryBatches(connect, sql=sql, label=label, limits=Limits(time=limits.time))
        there = [name for batch in query.batches() for name in batch.schema.names]
        known = {_known(name, dialect) for name in there}
        problems += [
            f"{table} has no column {name!r}{near_hint(name, there)}"
            for name in names
            if _known(spelt[name], dialect) not in known
        ]
    return problems


def _known(name: str, dialect: Dialect) -> str:
    return name if dialect in _CASED else name.casefold()
