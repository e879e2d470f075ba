"""People by rules, or from a table, of a database that an Airflow connection names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.errors import AudienceError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from smsflow_provider.core.audience.rules.count import Counting
    from smsflow_provider.core.audience.rules.dimension import Dimension
    from smsflow_provider.core.audience.rules.plan import Plan

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database behind an Airflow connection."""

    conn_id: str
    #: As a SQL dialect, such as ``postgres``.
    dialect: str
    #: Opens a DB-API connection.
    connect: Callable[[], Any]


def database_of(
    conn_id: str, *, dialect: str | None = None, find: Callable[[str], Any] | None = None
) -> Database:
    """
    Find the database behind *conn_id*. The connection is looked up once, whatever is opened on it.

    Args:
        conn_id: An Airflow connection.
        dialect: Its SQL, where the connection's type does not tell.
        find: Looks a connection up. None: as tasks do.

    Raises:
        AudienceError: It is not a database, or nobody knows its SQL.
        AirflowNotFoundException: There is no such connection.
    """
    from airflow.providers.common.sql.hooks.sql import DbApiHook  # noqa: PLC0415  not at parse
    from airflow.sdk import BaseHook  # noqa: PLC0415  same

    from smsflow_provider.core.audience.rules.dialects import dialect_of  # noqa: PLC0415  sqlglot

    connection: Any = (find or BaseHook.get_connection)(conn_id)
    hook = connection.get_hook()
    if not isinstance(hook, DbApiHook):
        raise AudienceError(
            "this connection is not a database", conn_id=conn_id, hook=type(hook).__name__
        )
    look_up = type(hook).get_connection

    def get_connection(other: str) -> Any:
        return connection if other == conn_id else look_up(other)

    hook.get_connection = get_connection
    spoken = dialect or str(dialect_of(connection.conn_type or ""))
    return Database(conn_id=conn_id, dialect=spoken, connect=hook.get_conn)


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """
    Read ``time_limit`` and ``row_limit`` of a task.

    Raises:
        AudienceError: One of them cannot be read.

    Example:
        >>> limits_of({"time_limit": "90m", "row_limit": 5}).time
        datetime.timedelta(seconds=5400)
    """
    from smsflow_provider.core.workflow.duration import (  # noqa: PLC0415  pydantic
        check_duration,
        read_duration,
    )

    given, rows = settings.get("time_limit"), settings.get("row_limit")
    problems = []
    if rows is not None and (type(rows) is not int or rows < 1):
        problems.append("row_limit must be a whole number from 1, or None")
    time = None
    try:
        read = None if given is None else read_duration(given)
        time = check_duration(read) if isinstance(read, timedelta) else None
    except PydanticCustomError as error:
        problems.append(f"time_limit {error.message()}")
    if problems:
        raise AudienceError("the limits of the audience cannot be read", problems=problems)
    return Limits(time=time, rows=rows)


class RulesSource:
    """
    People of a dimension who meet conditions.

    Args:
        plan: The conditions, with nothing left open.
        database: To ask.
        limits: Of each query.
        count_steps: Whether to count who is left after each condition, and log it.
        written: The rules and the dimension as they were written, for ``facts``.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        database: Database,
        limits: Limits,
        count_steps: bool = True,
        written: Mapping[str, Any] | None = None,
    ) -> None:
        self._written = written or {}
        self._plan = plan
        self._database = database
        self._limits = limits
        self._is_counted = count_steps and bool(plan.steps)
        self._counting: Counting | None = None

    @property
    def label(self) -> str:
        """The connection's id."""
        return self._database.conn_id

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``. Logs the counts when all are read."""
        from smsflow_provider.core.audience.query import QueryBatches  # noqa: PLC0415  pyarrow

        query = QueryBatches(
            self._database.connect, sql=self._sql(), label=self.label, limits=self._limits
        )
        if not self._is_counted:
            yield from self._checked(query.batches())
            return
        with self._made_counting() as self._counting:
            yield from self._checked(query.batches())
        log_steps(self._counting)

    def _checked(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass each person on once; where there are none, make sure that the rules say so."""
        from smsflow_provider.core.audience.rules.count import check_links  # noqa: PLC0415  pyarrow
        from smsflow_provider.core.audience.rules.missing import missing_told  # noqa: PLC0415  same
        from smsflow_provider.core.audience.rules.unique import each_once  # noqa: PLC0415  same

        count = 0
        with missing_told(self._plan, **self._asking()):
            for batch in each_once(batches, plan=self._plan, label=self.label):
                count += batch.num_rows
                yield batch
        if not count:
            check_links(self._plan, **self._asking())

    def facts(self) -> Mapping[str, Any]:
        """Tell rules, statement and counts, with what looks like a phone masked."""
        from smsflow_provider.core.audience.masking import masked_data  # noqa: PLC0415  not at parse

        found: dict[str, Any] = masked_data({**self._written, "sql": self._sql()})
        if self._counting is None or self._counting.steps is None:
            return found
        steps = [step.as_dict() for step in self._counting.steps]
        return {**found, "everyone": self._counting.everyone, "steps": steps}

    def _sql(self) -> str:
        from smsflow_provider.core.audience.rules.to_sql import select_sql  # noqa: PLC0415  sqlglot

        return select_sql(self._plan, dialect=self._database.dialect)

    def _made_counting(self) -> Counting:
        from smsflow_provider.core.audience.rules.count import Counting  # noqa: PLC0415  pyarrow

        return Counting(self._plan, **self._asking())

    def _asking(self) -> dict[str, Any]:
        return {
            "dialect": self._database.dialect,
            "connect": self._database.connect,
            "label": self.label,
            "limits": self._limits,
        }


def log_steps(counting: Counting) -> None:
    """Log what each condition did: counts and words, with what looks like a phone masked."""
    if counting.steps is None:
        log.warning("The conditions could not be counted: %s", counting.problem)
        return
    log.info("Everyone: %d", counting.everyone)
    for number, step in enumerate(counting.steps, start=1):
        log.info(
            "Condition %d: %d left, %d removed: %s", number, step.count, step.removed, step.words
        )


def rules_source(settings: Mapping[str, Any], *, now: datetime, folder: Path) -> RulesSource:
    """
    Make the source of a task with ``rules``.

    Args:
        settings: Fields of the task, checked by ``choose_source`` and rendered.
        now: The moment relative dates count from, with a zone.
        folder: Of rules.

    Raises:
        AudienceError: All problems of the rules, each with its path and the near name.
    """
    from smsflow_provider.core.audience.rules.dimension import load_dimension  # noqa: PLC0415

    dimension = load_dimension(folder, settings["dimension"])
    return RulesSource(
        plan_of(settings, dimension=dimension, now=now),
        database=database_for(dimension, conn_id=settings.get("conn_id")),
        limits=limits_of(settings),
        count_steps=settings.get("count_steps", True),
        written=_written(settings, dimension),
    )


def _written(settings: Mapping[str, Any], dimension: Dimension) -> dict[str, Any]:
    """Tell what was asked; that consent did not count, aloud too."""
    found = {name: settings[name] for name in ("dimension", "rules")}
    if dimension.consent and is_regardless(settings):
        log.warning("People are taken regardless of consent: %s", ", ".join(dimension.consent))
        found["regardless_of_consent"] = True
    return found


def database_for(
    dimension: Dimension,
    *,
    conn_id: str | None = None,
    find: Callable[[str], Any] | None = None,
) -> Database:
    """
    Find the database of a dimension.

    Args:
        dimension: Says its connection, and its dialect if the connection's type does not.
        conn_id: Another connection.
        find: Looks a connection up. None: as tasks do.

    Raises:
        AudienceError: Neither names a connection, or it is not a database.
    """
    chosen = conn_id or dimension.conn_id
    if chosen is None:
        raise AudienceError(
            "nobody says which database to ask: write conn_id in the dimension or the activity",
            dimension=dimension.name,
        )
    return database_of(chosen, dialect=dimension.dialect, find=find)


def plan_of(settings: Mapping[str, Any], *, dimension: Dimension, now: datetime) -> Plan:
    """
    Bind a task's rules to its dimension.

    Raises:
        AudienceError: All problems of the rules, each with its path and the near name.
    """
    from smsflow_provider.core.audience.rules.bind import bind  # noqa: PLC0415  not at DAG parse
    from smsflow_provider.core.audience.rules.tree import read_rules  # noqa: PLC0415  same

    return bind(
        read_rules(settings["rules"]),
        dimension=dimension,
        now=now,
        columns=settings.get("columns") or (),
        regardless_of_consent=is_regardless(settings),
    )


def is_regardless(settings: Mapping[str, Any]) -> bool:
    """
    Read ``regardless_of_consent`` of a task; what a template made of it counts as it reads.

    Raises:
        AudienceError: It is neither true nor false.

    Example:
        >>> is_regardless({"regardless_of_consent": "False"}), is_regardless({})
        (False, False)
    """
    from smsflow_provider.core.audience.rules.moments import UnfitError  # noqa: PLC0415  not at parse
    from smsflow_provider.core.audience.rules.values import read_flag  # noqa: PLC0415  same

    try:
        return read_flag(settings.get("regardless_of_consent") or False)
    except UnfitError as error:
        problem = f"regardless_of_consent: {error.text}"
        raise AudienceError("the audience's settings cannot be read", problems=[problem]) from None


def table_sql(
    table: str, *, columns: Sequence[str], phone_column: str, id_column: str | None, dialect: str
) -> str:
    """
    Write the statement that reads a table: its id, its phone, and the columns asked for.

    Args:
        table: ``schema.table`` or ``table``.
        columns: More columns.
        phone_column: Column of phones.
        id_column: Column of ids. None: there is none.
        dialect: Of the database.
    """
    from smsflow_provider.core.audience.rules.table import table_select  # noqa: PLC0415  sqlglot

    names = [name for name in (id_column, phone_column, *columns) if name]
    distinct = list(dict.fromkeys(names))
    return table_select(table, columns=distinct, dialect=dialect, order=id_column)
