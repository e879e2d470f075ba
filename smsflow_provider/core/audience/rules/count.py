"""How many people are left after each condition, counted beside the query that reads them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from smsflow_provider.core.audience.deadline import stop
from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.masking import masked_text
from smsflow_provider.core.audience.query import QueryBatches, driver_of
from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.errors import AudienceError

#: A connection of these is used by the thread that opened it, and by no other.
_TIED: frozenset[str] = frozenset({"sqlite3"})
#: DB-API: threads may share connections.
_SHARING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """One condition, and what it did."""

    #: What it says, in words; texts that look like phones or addresses are masked.
    words: str
    #: People left after it and all before it.
    count: int
    #: People it took out of those left before it.
    removed: int

    def as_dict(self) -> dict[str, object]:
        """
        Write it as plain data.

        Example:
            >>> StepCount(words="age is at least 18", count=7, removed=3).as_dict()["removed"]
            3
        """
        return {"words": self.words, "count": self.count, "removed": self.removed}


def steps_of(plan: Plan, counts: Sequence[int]) -> tuple[StepCount, ...]:
    """
    Put counts to the conditions of *plan*.

    Args:
        plan: With as many steps as there are counts, less one.
        counts: Everyone, after the first step, after the first two, and so on.
    """
    return tuple(
        StepCount(words=masked_text(step.words), count=after, removed=before - after)
        for step, before, after in zip(plan.steps, counts[:-1], counts[1:], strict=True)
    )


def read_counts(
    plan: Plan, *, dialect: str, connect: Callable[[], Any], label: str, limits: Limits
) -> tuple[int, ...]:
    """
    Count everyone, and who is left after each step, by one statement.

    Args:
        plan: The conditions.
        dialect: Of the database.
        connect: Opens a DB-API connection; it is closed at the end.
        label: What errors call it.
        limits: Of the statement.

    Raises:
        AudienceError: It failed or took too long.
    """
    from smsflow_provider.core.audience.rules.to_sql import steps_sql  # noqa: PLC0415  sqlglot

    sql = steps_sql(plan, dialect=dialect)
    query = QueryBatches(connect, sql=sql, label=label, limits=Limits(time=limits.time))
    (row,) = [row for batch in query.batches() for row in batch.to_pylist()]
    return tuple(int(value or 0) for value in row.values())


def check_links(
    plan: Plan, *, dialect: str, connect: Callable[[], Any], label: str, limits: Limits
) -> None:
    """
    Make sure that links to one row lead to one row; where they do not, a plan finds nobody.

    Args:
        plan: That found nobody.
        dialect: Of the database.
        connect: Opens a DB-API connection; it is closed at the end.
        label: What errors call it.
        limits: Of the statement.

    Raises:
        AudienceError: Some lead to several rows: which, and for how many keys. Or the statement
            failed.
    """
    from smsflow_provider.core.audience.rules.to_sql import (  # noqa: PLC0415  sqlglot
        repeated_links_sql,
    )

    sql = repeated_links_sql(plan, dialect=dialect)
    if sql is None:
        return
    query = QueryBatches(connect, sql=sql, label=label, limits=Limits(time=limits.time))
    rows = [tuple(row.values()) for batch in query.batches() for row in batch.to_pylist()]
    repeated = {str(link): int(keys) for link, keys in rows if keys}
    if repeated:
        raise AudienceError(
            "a link that the dimension calls kind: one leads to several rows: nobody is taken",
            source=label,
            keys_with_several_rows=repeated,
        )


class Counting:
    """
    Counts a plan's steps on a connection of its own while the rows are read; a context.

    Where a driver ties connections to threads, it counts before the rows are read instead. The
    two queries may see two states of a database that is written to meanwhile: the counts explain,
    the rows decide. A count that fails takes nothing from the audience.

    Args:
        plan: The conditions.
        dialect: Of the database.
        connect: Opens a DB-API connection; called once, by the thread that makes the context.
        label: What errors call it.
        limits: Of the statement.
    """

    def __init__(
        self, plan: Plan, *, dialect: str, connect: Callable[[], Any], label: str, limits: Limits
    ) -> None:
        self.steps: tuple[StepCount, ...] | None = None
        #: Before the first condition. None: not counted.
        self.everyone: int | None = None
        #: Why there are no counts, in a sentence without personal data.
        self.problem = ""
        self._plan = plan
        self._dialect = dialect
        self._connect = connect
        self._connection: Any = None
        self._label = label
        self._limits = limits
        self._thread = threading.Thread(target=self._count, name="smsflow-count", daemon=True)

    def __enter__(self) -> Self:
        self._connection = self._connect()
        if may_cross_threads(self._connection):
            self._thread.start()
        else:
            self._count()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            stop(self._connection)
        if self._thread.ident is not None:
            self._thread.join()

    def _count(self) -> None:
        try:
            counts = read_counts(
                self._plan,
                dialect=self._dialect,
                connect=lambda: self._connection,
                label=self._label,
                limits=self._limits,
            )
        except AudienceError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001  a count is never worth an audience
            self.problem = type(error).__name__
            with suppress(Exception):
                self._connection.close()
        else:
            self.everyone, self.steps = counts[0], steps_of(self._plan, counts)


def may_cross_threads(connection: object) -> bool:
    """Whether another thread than the one that opened *connection* may use it."""
    root = driver_of(connection).split(".", maxsplit=1)[0]
    shared = getattr(sys.modules.get(root), "threadsafety", 0)
    return root not in _TIED and isinstance(shared, int) and shared >= _SHARING
