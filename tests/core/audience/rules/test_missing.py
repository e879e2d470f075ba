"""A dimension that names columns its database has not."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.audience.limits import Limits
from smsflow_provider.core.audience.rules.bind import bind
from smsflow_provider.core.audience.rules.dimension import read_dimension
from smsflow_provider.core.audience.rules.explain import Explanation, explain
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.errors import AudienceError

DATA: dict[str, Any] = {
    "table": "people",
    "key": "id",
    "phone": "phone",
    "columns": {"City": "text", "age": {"type": "integer", "column": "agee"}},
    "links": {
        "orders": {
            "table": "orders",
            "kind": "many",
            "on": {"id": "person"},
            "columns": {"states": "text"},
        }
    },
}
PAID = {"link": "orders", "any": True, "where": {"column": "states", "equals": "secret"}}


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    path = tmp_path / "crm.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (id TEXT, phone TEXT, city TEXT, age INTEGER)")
    connection.execute("CREATE TABLE orders (person TEXT, status TEXT)")
    connection.executemany("INSERT INTO people VALUES (?, '1', 'Paris', 20)", [("a",), ("a",)])
    connection.commit()
    connection.close()
    return path


def explained(crm: Path, rules: object, **changed: object) -> Explanation:
    plan = bind(
        read_rules(rules),
        dimension=read_dimension(DATA | changed, name="people"),
        now=datetime(2026, 11, 22, tzinfo=UTC),
    )
    return explain(
        plan,
        dialect="sqlite",
        connect=lambda: sqlite3.connect(crm),
        label="crm",
        limits=Limits(),
    )


def refused(crm: Path, rules: object, **changed: object) -> AudienceError:
    with pytest.raises(AudienceError) as caught:
        explained(crm, rules, **changed)
    return caught.value


def test_all_columns_that_are_not_there_are_told_with_the_near_name(crm: Path) -> None:
    error = refused(crm, [{"column": "age", "above": 18}, PAID, {"column": "City", "equals": "x"}])

    assert [
        "people has no column 'agee' (did you mean 'age'?)",
        "orders has no column 'states' (did you mean 'status'?)",
    ] == error.facts["problems"]
    assert "secret" not in str(error)


def test_a_table_that_is_not_there_is_told_by_the_database(crm: Path) -> None:
    error = refused(crm, {"column": "City", "equals": "x"}, table="people_1")

    assert "no such table: people_1" in str(error)


def test_somebody_who_is_there_twice_is_told_by_the_sample(crm: Path) -> None:
    assert "same in several rows" in str(refused(crm, {"column": "City", "equals": "Paris"}))
