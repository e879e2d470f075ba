"""What the rules of an activity come to, asked outside of any task: command line and REST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from smsflow_provider.core.audience.rules.dimension import Dimension, load_dimension
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.hooks.find_store import find_connection
from smsflow_provider.hooks.rule_source import Database, database_for, limits_of, plan_of

if TYPE_CHECKING:
    from smsflow_provider.core.audience.rules.explain import Explanation
    from smsflow_provider.core.audience.rules.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Rules with all that is needed to ask a database about them."""

    dimension: Dimension
    database: Database
    plan: Plan
    #: Fields of the activity, with parameters filled in.
    settings: Mapping[str, Any]

    def sql(self) -> str:
        """Write the statement that reads the people; asks nothing."""
        from smsflow_provider.core.audience.rules.to_sql import select_sql  # noqa: PLC0415  sqlglot

        return select_sql(self.plan, dialect=self.database.dialect)

    def answer(self, *, sample: int) -> Explanation:
        """
        Ask the database.

        Args:
            sample: Rows to show, 0 or more.

        Raises:
            AudienceError: It failed or took too long.
        """
        from smsflow_provider.core.audience.rules.explain import explain  # noqa: PLC0415  pyarrow

        return explain(
            self.plan,
            dialect=self.database.dialect,
            connect=self.database.connect,
            label=self.database.conn_id,
            limits=limits_of(self.settings),
            sample=sample,
        )


def question_of(settings: Mapping[str, Any], *, at: str | None, folder: Path) -> Question:
    """
    Bind the rules of an activity, and find their database, by a connection that needs no task.

    Args:
        settings: Fields of a ``build_audience`` activity, with parameters filled in.
        at: What relative dates count from, as the run's logical date: a day or a moment, of the
            dimension's zone if it names none. None: now.
        folder: Of rules.

    Raises:
        AudienceError: The activity has no rules, or all problems of these; *at* is no moment; or
            there is no such connection.
    """
    if not settings.get("rules") or not settings.get("dimension"):
        raise AudienceError("only an audience by rules can be explained: this one has none")
    dimension = load_dimension(folder, settings["dimension"])
    now = moment_of(at, zone=dimension.zone) if at else utc_now()
    plan = plan_of(settings, dimension=dimension, now=now)
    try:
        database = database_for(dimension, conn_id=settings.get("conn_id"), find=_find)
    except AirflowNotFoundException as error:
        raise AudienceError(str(error)) from None
    return Question(dimension=dimension, plan=plan, database=database, settings=settings)


def _find(conn_id: str) -> Connection:
    """Find a connection outside of tasks, as one that makes hooks as in a task."""
    found = find_connection(conn_id)
    names = ("conn_id", "conn_type", "host", "schema", "login", "password", "port", "extra")
    return Connection(**{name: getattr(found, name) for name in names})


def moment_of(text: str, *, zone: str) -> datetime:
    """
    Read a day or a moment; without a zone of its own it is one of *zone*.

    Raises:
        AudienceError: It is neither.

    Example:
        >>> moment_of("2026-03-01", zone="Europe/Paris").isoformat()
        '2026-03-01T00:00:00+01:00'
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise AudienceError(
            "this is no moment: write 2026-03-01 or 2026-03-01T09:00", got=text[:40]
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))
