"""
The same rules find the same people in PostgreSQL, SQLite, DuckDB and frames.

``SMSFLOW_RULE_EXAMPLES`` plays more worlds than the few that run each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.audience.rules.to_frame import count_steps, select_frame
from smsflow_provider.core.audience.rules.to_sql import select_sql, steps_sql
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from tests.core.audience.rules.engines import (
    Engine,
    duckdb_engine,
    postgres_engine,
    sqlite_engine,
)
from tests.core.audience.rules.worlds import World, plans, worlds

_EXAMPLES = int(os.environ.get("SMSFLOW_RULE_EXAMPLES", "60"))


@pytest.fixture(scope="module")
def engines(postgres: EmbeddedPostgres) -> Iterator[list[Engine]]:
    """One connection to each for the whole module."""
    dsn = postgres.create_database("rules_alike")
    found = [postgres_engine(dsn), sqlite_engine(), duckdb_engine()]
    yield found
    for engine in found:
        engine.close()
    postgres.drop_database("rules_alike")


@settings(max_examples=_EXAMPLES, deadline=None)
@given(world=worlds(), plan=plans())
def test_rules_find_the_same_people_everywhere(
    engines: list[Engine], world: World, plan: Plan
) -> None:
    tables = world.frames()
    people = select_frame(plan, tables).rows()
    counts = count_steps(plan, tables)

    assert len(people) == counts[-1]
    for engine in engines:
        engine.load(world)
        dialect = engine.dialect
        assert people == engine.run(select_sql(plan, dialect=dialect)), dialect
        assert [counts] == engine.run(steps_sql(plan, dialect=dialect)), dialect
