"""Time limits of queries on a real PostgreSQL, with both drivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.store.embedded import EmbeddedPostgres

#: Both drivers an Airflow connection to PostgreSQL may use; the older one has no types.
DRIVERS = [psycopg, import_module("psycopg2")]


@pytest.fixture(scope="module")
def dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with nothing in it."""
    yield postgres.create_database("query_limits")
    postgres.drop_database("query_limits")


def rows_of(driver: Any, dsn: str, sql: str, *, time_s: float, rows: int = 50) -> list[Any]:
    source = QueryBatches(
        lambda: driver.connect(dsn),
        sql=sql,
        label="crm",
        rows=rows,
        limits=Limits(time=timedelta(seconds=time_s)),
    )
    return [row for batch in source.batches() for row in batch.to_pylist()]


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_server_ends_a_query_that_takes_too_long(dsn: str, driver: Any) -> None:
    with pytest.raises(AudienceError, match=r"took longer than 0\.3s") as caught:
        rows_of(driver, dsn, "SELECT pg_sleep(30)::text AS phone", time_s=0.3)

    assert {"source": "crm"} == caught.value.facts
    assert 0 == _still_running(dsn)


def _still_running(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_limit_is_of_the_whole_query_and_not_of_each_batch(dsn: str, driver: Any) -> None:
    """Each FETCH is a statement of its own to the server, and each of these is fast enough."""
    sql = "SELECT g::text AS phone, pg_sleep(0.02)::text FROM generate_series(1, 1000) AS g"
    with pytest.raises(AudienceError, match=r"took longer than 0\.5s"):
        rows_of(driver, dsn, sql, time_s=0.5, rows=10)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("own", "kept"), [("7s", "7s"), ("0", "1min"), ("90s", "1min")])
def test_a_shorter_limit_of_the_database_stays(dsn: str, driver: Any, own: str, kept: str) -> None:
    with_own = make_conninfo(dsn, options=f"-c statement_timeout={own}")
    sql = "SELECT current_setting('statement_timeout') AS phone"

    assert [{"phone": kept}] == rows_of(driver, with_own, sql, time_s=60)
