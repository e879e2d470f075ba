"""The cookbook of rules: every recipe finds whom it says, in two databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from smsflow_provider.core.audience.rules.bind import bind
from smsflow_provider.core.audience.rules.dimension import Dimension, read_dimension
from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.audience.rules.to_sql import select_sql
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.document.tree import read_tree
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.workflow.conf import filled
from smsflow_provider.core.workflow.spec import BuildAudience
from tests.docs.blocks import blocks

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PARAMETERS = {"cities": ["Lyon", "Paris"], "least": 50}
_RECIPE = re.compile(
    r"^### (?P<title>[^\n]+)\n(?P<words>(?:(?!^### |^```).)*)"
    r"^```yaml\n(?P<rules>.*?)^```\n+Finds (?P<found>[\d, ]+)\.$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One recipe of the page."""

    title: str
    rules: Any
    found: list[int]


def _recipes() -> list[Recipe]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        Recipe(
            title=each["title"],
            rules=read_tree(each["rules"]).data,
            found=[int(number) for number in each["found"].split(",")],
        )
        for each in _RECIPE.finditer(text)
    ]


RECIPES = _recipes()


def test_every_recipe_says_whom_it_finds() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text.count("\n### ") == len(RECIPES) > 15


def test_the_activity_that_is_shown_can_be_read() -> None:
    (text,) = blocks(PAGE, "yaml", mark="activity")
    shown: Any = read_tree(text).data
    ((name, activity),) = shown["activities"].items()

    assert "guests" == name
    assert "customers" == BuildAudience.model_validate(activity).dimension


@pytest.fixture(scope="module")
def dimension() -> Dimension:
    """The one of the page."""
    (text,) = blocks(PAGE, "yaml", mark="dimension")
    return read_dimension(read_tree(text).data, name="customers")


@pytest.fixture(scope="module")
def in_postgres(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection[Any]]:
    """The data of the page."""
    (text,) = blocks(PAGE, "sql", mark="data")
    with psycopg.connect(postgres.create_database("cookbook")) as connection:
        connection.execute(text.encode())
        yield connection
    postgres.drop_database("cookbook")


@pytest.fixture(scope="module")
def in_duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    """The same."""
    (text,) = blocks(PAGE, "sql", mark="data")
    with duckdb.connect() as connection:
        connection.execute(text)
        yield connection


def plan_of(recipe: Recipe, dimension: Dimension) -> Plan:
    rules = read_rules(filled(recipe.rules, PARAMETERS))
    return bind(rules, dimension=dimension, now=NOW)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title.lower())
def test_a_recipe_finds_whom_it_says(
    recipe: Recipe,
    dimension: Dimension,
    in_postgres: psycopg.Connection[Any],
    in_duckdb: duckdb.DuckDBPyConnection,
) -> None:
    plan = plan_of(recipe, dimension)
    answers = (
        in_postgres.execute(select_sql(plan, dialect="postgres").encode()).fetchall(),
        in_duckdb.execute(select_sql(plan, dialect="duckdb")).fetchall(),
    )

    assert [recipe.found] * 2 == [sorted(int(row[0]) for row in rows) for rows in answers]
