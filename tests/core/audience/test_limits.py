"""Queries that take too long or find too much end as errors, whatever the driver can do."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from smsflow_provider.core.audience.deadline import TIME_LIMITS, Deadline, time_limit_table
from smsflow_provider.core.audience.limits import Limits, in_words
from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.errors import AudienceError

#: Never ends by itself within a test.
SLOW = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)"
    " SELECT count(*) AS phone FROM n"
)
SLOW_DUCKDB = "SELECT count(*) AS phone FROM range(20000000) a, range(20000000) b WHERE a = b + 1.5"
SHORT = timedelta(seconds=0.2)


def read(connect: Callable[[], Any], sql: str, *, limits: Limits, rows: int = 2) -> int:
    source = QueryBatches(connect, sql=sql, label="crm", limits=limits, rows=rows)
    return sum(batch.num_rows for batch in source.batches())


def refusal(connect: Callable[[], Any], sql: str, *, limits: Limits) -> AudienceError:
    with pytest.raises(AudienceError) as caught:
        read(connect, sql, limits=limits)
    return caught.value


def in_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


@pytest.mark.parametrize(
    ("connect", "sql"), [(in_memory, SLOW), (duckdb.connect, SLOW_DUCKDB)], ids=["sqlite", "duckdb"]
)
def test_a_driver_that_can_be_interrupted_is_when_the_time_is_over(
    connect: Callable[[], Any], sql: str
) -> None:
    began_s = time.monotonic()
    told = refusal(connect, sql, limits=Limits(time=SHORT))

    assert "took longer than 0.2s: make it faster, or raise time_limit" in told.problem
    assert {"source": "crm"} == told.facts
    assert 10 > time.monotonic() - began_s


def test_a_query_within_its_limits_is_read_whole() -> None:
    sql = "SELECT 1 AS phone UNION ALL SELECT 2 UNION ALL SELECT 3"

    assert 3 == read(in_memory, sql, limits=Limits(time=timedelta(minutes=1), rows=3))


def test_reading_stops_at_the_first_batch_beyond_the_row_limit() -> None:
    """A recursive query that never ends: without a limit this test would not end either."""
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    told = refusal(in_memory, endless, limits=Limits(rows=5))

    assert {"source": "crm", "row_limit": 5} == told.facts
    assert "more rows than row_limit allows: nobody is taken" in told.problem


def test_time_the_reader_takes_counts_too() -> None:
    sql = "SELECT 1 AS phone UNION ALL SELECT 2 UNION ALL SELECT 3"
    limits = Limits(time=timedelta(milliseconds=30))
    batches = QueryBatches(in_memory, sql=sql, label="crm", limits=limits, rows=2).batches()

    assert 2 == next(batches).num_rows
    time.sleep(0.05)
    with pytest.raises(AudienceError, match=r"took longer than 0\.03s"):
        next(batches)


class Told:
    """A connection that writes down what it is told, and may not know it."""

    def __init__(self, error: type[Exception] | None = None) -> None:
        self.told: list[str] = []
        self._error = error

    def cursor(self) -> Told:
        return self

    def execute(self, statement: str) -> None:
        self.told.append(statement)
        if self._error:
            raise self._error

    def close(self) -> None:
        """Nothing is open."""

    def rollback(self) -> None:
        self.told.append("rollback")


def told_to(driver: str, *, error: type[Exception] | None = None) -> Told:
    connection = Told(error)
    with Deadline(
        connection,
        limit=timedelta(seconds=90),
        label="crm",
        driver=driver,
        errors=(ValueError,),
    ):
        pass
    return connection


@pytest.mark.parametrize(
    ("driver", "statement"),
    [
        ("pymysql.connections", "SET SESSION max_execution_time = 90000"),
        ("mysql.connector.connection", "SET SESSION max_execution_time = 90000"),
        (
            "snowflake.connector.connection",
            "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 90",
        ),
    ],
)
def test_a_server_that_can_end_a_query_is_told_when(driver: str, statement: str) -> None:
    assert [statement] == told_to(driver).told


@pytest.mark.parametrize(
    ("driver", "field", "value"), [("pyodbc", "timeout", 90), ("oracledb", "call_timeout", 90_000)]
)
def test_a_driver_with_a_field_for_it_gets_it(driver: str, field: str, value: int) -> None:
    connection = told_to(driver)

    assert value == getattr(connection, field)
    assert [] == connection.told


def test_a_server_that_lacks_the_setting_is_asked_all_the_same() -> None:
    """Its transaction is begun anew, or everything after the mistake would be refused."""
    assert "rollback" == told_to("pymysql.connections", error=ValueError).told[-1]


def test_times_are_written_as_settings_have_them() -> None:
    times = {"10m": 600, "1h 30m": 5400, "45s": 45, "26h 2s": 93_602}

    assert list(times) == [in_words(timedelta(seconds=one)) for one in times.values()]


def test_the_table_in_the_documentation_is_the_one_in_the_code(repository: Path) -> None:
    text = (repository / "docs" / "audiences.md").read_text(encoding="utf-8")

    assert time_limit_table() in text
    assert all(f"`{one.driver}`" in text for one in TIME_LIMITS)
