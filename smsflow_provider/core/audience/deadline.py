"""Ends a query that takes too long: the server is told in time, or the driver is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from types import TracebackType
from typing import Any, Self

from smsflow_provider.core.audience.limits import in_words
from smsflow_provider.core.errors import AudienceError

#: Seconds between two attempts to stop a driver that goes on.
_AGAIN_S = 1.0
#: Seconds that the end of a deadline waits for an attempt under way.
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """How the server of one driver is told the limit, so that it ends the query by itself."""

    #: The driver's module.
    driver: str
    #: What a reader of the documentation should know.
    how: str
    #: Tells the server, in the transaction of the query.
    tell: Callable[[Any, timedelta], None]
    #: True when the tests of this package run it against a real server.
    is_tested: bool = False


def _execute(connection: Any, statement: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)


def _tell_postgres(connection: Any, limit: timedelta) -> None:
    # Only ever downwards: a shorter limit of the server's own keeper stays.
    ms = max(1, ceil(limit.total_seconds() * 1000))
    _execute(
        connection,
        f"SELECT set_config('statement_timeout', '{ms}', true) FROM pg_settings"  # noqa: S608  a number
        f" WHERE name = 'statement_timeout' AND (setting::bigint = 0 OR setting::bigint > {ms})",
    )


def _tell_mysql(connection: Any, limit: timedelta) -> None:
    ms = max(1, ceil(limit.total_seconds() * 1000))
    _execute(connection, f"SET SESSION max_execution_time = {ms}")


def _tell_snowflake(connection: Any, limit: timedelta) -> None:
    seconds = max(1, ceil(limit.total_seconds()))
    _execute(connection, f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {seconds}")


def _tell_pyodbc(connection: Any, limit: timedelta) -> None:
    connection.timeout = max(1, ceil(limit.total_seconds()))


def _tell_oracle(connection: Any, limit: timedelta) -> None:
    connection.call_timeout = max(1, ceil(limit.total_seconds() * 1000))


_POSTGRES = "`statement_timeout` of the transaction, and `cancel()`"
_OTHERS = "`interrupt()` or `cancel()` of its connection or cursor"
_MYSQL = "`max_execution_time` of the session"

#: Servers that end a query by themselves. A shorter limit of their own stays in force.
TIME_LIMITS = (
    TimeLimit(driver="psycopg2", how=_POSTGRES, tell=_tell_postgres, is_tested=True),
    TimeLimit(driver="psycopg", how=_POSTGRES, tell=_tell_postgres, is_tested=True),
    TimeLimit(driver="pymysql", how=_MYSQL, tell=_tell_mysql),
    TimeLimit(driver="MySQLdb", how=_MYSQL, tell=_tell_mysql),
    TimeLimit(driver="mysql.connector", how=_MYSQL, tell=_tell_mysql),
    TimeLimit(
        driver="snowflake.connector",
        how="`STATEMENT_TIMEOUT_IN_SECONDS` of the session",
        tell=_tell_snowflake,
    ),
    TimeLimit(driver="pyodbc", how="`timeout` of the connection", tell=_tell_pyodbc),
    TimeLimit(
        driver="oracledb", how="`call_timeout` of the connection, and `cancel()`", tell=_tell_oracle
    ),
)


def time_limit_table() -> str:
    """Print how each driver keeps the limit, as the Markdown table of the documentation."""
    head = ["| driver | how a query that takes too long ends | run in our tests |"]
    rows = [(f"`{one.driver}`", one.how, one.is_tested) for one in TIME_LIMITS]
    rows += [
        ("`sqlite3`, `duckdb`", "`interrupt()` of the connection", True),
        (
            "any other",
            "`interrupt()` or `cancel()` of its connection or cursor; else between two batches",
            False,
        ),
    ]
    lines = [f"| {name} | {how} | {'yes' if is_run else 'no'} |" for name, how, is_run in rows]
    return "\n".join([*head, "| --- | --- | --- |", *lines]) + "\n"


class Deadline:
    """
    The time one connection has for one query; a context around asking and reading.

    The server is told the limit where it can be. When the time is over, a thread of its own stops
    what the driver is doing, again each second until it has ended; the reader looks at the time
    between two batches.

    Args:
        connection: A DB-API connection.
        limit: None: there is none.
        label: What errors call the connection.
        driver: Its module, such as ``psycopg2.extensions``.
        errors: What the driver raises where a server does not know the setting.
    """

    def __init__(
        self,
        connection: Any,
        *,
        limit: timedelta | None,
        label: str,
        driver: str,
        errors: tuple[type[Exception], ...],
    ) -> None:
        self._connection = connection
        self._limit = limit
        self._label = label
        self._driver = driver
        self._errors = errors
        self._ends_at_s = float("inf")
        self._watched = [connection]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="smsflow-deadline", daemon=True)

    def __enter__(self) -> Self:
        if self._limit is not None:
            self._ends_at_s = time.monotonic() + self._limit.total_seconds()
            self._tell(self._limit)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._ends_at_s

    def watch(self, cursor: Any) -> None:
        """Stop *cursor* too: some drivers run a query in it alone."""
        self._watched = [self._connection, cursor]

    def check(self) -> None:
        """
        Go on only while there is time.

        Raises:
            AudienceError: There is none left.
        """
        if self._limit is not None and self.is_over:
            raise AudienceError(
                f"the query of the audience took longer than {in_words(self._limit)}:"
                " make it faster, or raise time_limit",
                source=self._label,
            )

    def _tell(self, limit: timedelta) -> None:
        known = next((one for one in TIME_LIMITS if is_of(self._driver, one.driver)), None)
        if known is None:
            return
        try:
            known.tell(self._connection, limit)
        except self._errors:
            # A relative of the server that lacks the setting: the thread keeps the limit.
            with suppress(*self._errors):
                self._connection.rollback()

    def _watch(self) -> None:
        while not self._done.wait(max(0.0, self._ends_at_s - time.monotonic())):
            for each in self._watched:
                stop(each)
            if self._done.wait(_AGAIN_S):
                return


def is_of(module: str, driver: str) -> bool:
    """
    Tell whether a connection's module is part of a driver.

    Example:
        >>> is_of("psycopg2.extensions", "psycopg2"), is_of("psycopg2", "psycopg")
        (True, False)
    """
    return module == driver or module.startswith(f"{driver}.")


def stop(watched: Any) -> None:
    """Ask a driver to end what it does. One that cannot, or that has ended, says nothing."""
    for name in ("interrupt", "cancel_safe", "cancel"):
        stop = getattr(watched, name, None)
        if callable(stop):
            # Whatever a driver says here, the reader finds out by itself.
            with suppress(Exception):
                stop()
            return
