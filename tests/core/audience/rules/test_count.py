"""Counting who is left after each condition, beside the query or before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.rules.bind import bind
from smsflow_provider.core.audience.rules.count import Counting, check_links, may_cross_threads
from smsflow_provider.core.audience.rules.dimension import read_dimension
from smsflow_provider.core.audience.rules.explain import explain
from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.errors import AudienceError

DIMENSION = {
    "table": "people",
    "key": "id",
    "phone": "phone",
    "columns": {"city": "text", "phone": "text"},
    "links": {
        "town": {
            "table": "towns",
            "kind": "one",
            "on": {"city": "name"},
            "columns": {"size": "integer"},
        }
    },
}
DATA = """
CREATE TABLE people (id integer, phone text, city text);
INSERT INTO people VALUES
    (1, '+33612345678', 'Lyon'), (2, '+33612345679', 'Lyon'), (3, NULL, 'Paris');
CREATE TABLE towns (name text, size integer);
INSERT INTO towns VALUES ('Lyon', 5), ('Paris', 9);
"""


def in_sqlite() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(DATA)
    return connection


def in_duckdb() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(DATA)
    return connection


def plan_of(*rules: Any) -> Plan:
    dimension = read_dimension(DIMENSION, name="people")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    return bind(read_rules(list(rules)), dimension=dimension, now=now, columns=["town.size"])


LYON = {"column": "city", "equals": "Lyon"}
ONE_PHONE = {"column": "phone", "in": ["+33612345678"]}


@pytest.mark.parametrize(
    ("connect", "dialect"), [(in_sqlite, "sqlite"), (in_duckdb, "duckdb")], ids=["sqlite", "duckdb"]
)
def test_an_explanation_counts_and_masks(connect: Callable[[], Any], dialect: str) -> None:
    found = explain(
        plan_of(LYON, ONE_PHONE), dialect=dialect, connect=connect, label="crm", limits=Limits()
    )

    assert (3, 1) == (found.everyone, found.count)
    assert [(2, 1), (1, 1)] == [(step.count, step.removed) for step in found.steps]
    assert [{"recipient_id": 1, "phone": "+33·······78", "town_size": 5}] == list(found.sample)
    assert "612345678" not in repr(found) + str([step.words for step in found.steps])
    assert "+33612345678" in found.sql


def counting(connect: Callable[[], Any], dialect: str, *, plan: Plan | None = None) -> Counting:
    return Counting(
        plan or plan_of(LYON), dialect=dialect, connect=connect, label="crm", limits=Limits()
    )


def test_a_connection_of_one_thread_is_counted_before_the_rows_are_read() -> None:
    with counting(in_sqlite, "sqlite") as made:
        assert made.steps is not None
        assert (3, 2) == (made.everyone, made.steps[0].count)


def test_a_count_that_fails_takes_nothing_from_the_audience() -> None:
    def broken() -> sqlite3.Connection:
        return sqlite3.connect(":memory:")

    with counting(broken, "sqlite") as made:
        assert made.steps is None
    assert "no such table" in made.problem


def test_what_went_wrong_while_reading_passes_through_a_count() -> None:
    with pytest.raises(ZeroDivisionError), counting(in_duckdb, "duckdb"):
        raise ZeroDivisionError


def test_a_count_takes_no_longer_than_a_query_may() -> None:
    with Counting(
        plan_of(LYON),
        dialect="sqlite",
        connect=in_sqlite,
        label="crm",
        limits=Limits(time=timedelta(microseconds=1)),
    ) as made:
        assert made.steps is None or made.everyone == 3


def test_a_link_that_leads_to_several_rows_is_named() -> None:
    def doubled() -> sqlite3.Connection:
        connection = in_sqlite()
        connection.execute("INSERT INTO towns VALUES ('Lyon', 6)")
        return connection

    asking: dict[str, Any] = {"dialect": "sqlite", "label": "crm", "limits": Limits()}
    check_links(plan_of(LYON), connect=in_sqlite, **asking)
    with pytest.raises(AudienceError, match="nobody is taken") as caught:
        check_links(plan_of(LYON), connect=doubled, **asking)
    with pytest.raises(AudienceError, match="nobody is taken"):
        explain(plan_of(LYON), connect=doubled, **asking)

    assert {"town": 1} == caught.value.facts["keys_with_several_rows"]


def test_only_drivers_that_say_so_cross_threads() -> None:
    class Connection:
        """Of a driver nobody knows."""

    assert not may_cross_threads(in_sqlite())
    assert not may_cross_threads(in_duckdb())
    assert not may_cross_threads(Connection())
