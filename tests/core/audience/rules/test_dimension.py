"""Targeting dimensions from files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.audience.rules.bind import bind, problems_of_filters
from smsflow_provider.core.audience.rules.dimension import (
    dimension_files,
    load_dimension,
    look_at_dimension,
    read_dimension,
)
from smsflow_provider.core.audience.rules.plan import Kind
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.errors import AudienceError
from tests.docs.blocks import blocks

PAGE = Path(__file__).parents[4] / "docs" / "dimensions.md"
PEOPLE: dict[str, Any] = {"table": "people", "key": "id", "phone": "tel"}
ORDERS: dict[str, Any] = {"table": "orders", "kind": "many", "on": {"id": "person_id"}}


def told(**fields: object) -> list[str]:
    with pytest.raises(AudienceError) as caught:
        read_dimension(PEOPLE | fields, name="people")
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of rules with the dimension of the page."""
    (tmp_path / "dimensions").mkdir()
    (text,) = blocks(PAGE, "yaml", mark="dimension")
    (tmp_path / "dimensions" / "customers.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_example_of_the_page_is_a_dimension(folder: Path) -> None:
    customers = load_dimension(folder, "customers")

    assert ("customers", "Customers", "crm") == (customers.name, customers.title, customers.conn_id)
    assert Kind.TEXT is customers.columns["first_name"].type
    assert "SEGMENT_2024" == customers.columns["segment"].column
    assert ("order_id",) == customers.links["orders"].key
    assert {"customer_id": "customer_id"} == customers.links["orders"].on
    assert "crm.products" == customers.links["orders"].links["product"].table
    assert read_rules({"column": "age", "at_least": 18}) == customers.filters["adults"]
    assert [] == problems_of_filters(customers)
    plan = bind(
        customers.filters["buyers"], dimension=customers, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert ["recipient_id", "phone", "language", "time_zone"] == [o.name for o in plan.outputs]


def test_a_name_without_a_file_gets_the_near_name(folder: Path) -> None:
    with pytest.raises(AudienceError) as caught:
        load_dimension(folder, "customer")
    assert "did you mean 'customers'?" == caught.value.facts["hint"]
    with pytest.raises(AudienceError, match="holds none"):
        load_dimension(folder / "nothing", "customers")


def test_a_name_never_leads_out_of_the_folder(folder: Path) -> None:
    (folder / "secret.yaml").write_text("table: t", encoding="utf-8")

    with pytest.raises(AudienceError, match="no such dimension"):
        load_dimension(folder, "../secret")


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    (folder / "dimensions" / "customers.yml").write_text("table: t", encoding="utf-8")

    with pytest.raises(AudienceError, match="two dimensions"):
        dimension_files(folder)


def test_problems_of_a_file_have_their_lines_and_its_name_only(folder: Path) -> None:
    path = folder / "dimensions" / "customers.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("at_least: 18", "atleast: 18").replace("amount: number", "amount: numbr"),
        encoding="utf-8",
    )

    with pytest.raises(AudienceError) as caught:
        load_dimension(folder, "customers")

    assert [
        (
            "customers.yaml:32: links.orders.columns.amount.type: 'numbr' is not a choice"
            " (did you mean 'number'?)"
        ),
        (
            "customers.yaml:41: filters.adults.atleast: unknown field 'atleast'"
            " (did you mean 'at_least'?)"
        ),
    ] == caught.value.facts["problems"]


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "just words"])
def test_a_file_that_holds_something_else_is_a_problem(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")

    dimension, problems = look_at_dimension(path)

    assert dimension is None
    assert problems
    assert look_at_dimension(tmp_path / "lost.yaml")[1]


@pytest.mark.parametrize("data", [None, 5, "people", ["people"]])
def test_what_is_no_mapping_is_no_dimension(data: object) -> None:
    with pytest.raises(AudienceError) as caught:
        read_dimension(data, name="people")

    assert "is not a dimension" in str(caught.value.facts["problems"])


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"tabel": "x"}, "tabel: unknown field 'tabel' (did you mean 'table'?)"),
        ({"name": "x"}, "name: unknown field 'name' (the file's name is its name)"),
        ({"table": "a.b.c.d"}, "table: 'a.b.c.d' is not a table"),
        ({"table": "a..b"}, "table: 'a..b' is not a table"),
        ({"table": '"People"'}, "table: has a quote or a control character"),
        ({"key": "i\0d"}, "key: has a quote or a control character"),
        ({"phone": ""}, "phone: must not be empty"),
        ({"zone": "Europe/Pari"}, "zone: unknown time zone 'Europe/Pari' (did you mean"),
        ({"columns": {"a": "txt"}}, "columns.a.type: 'txt' is not a choice (did you mean 'text'?)"),
        ({"columns": {"a.b": "text"}}, "columns.a.b: 'a.b' cannot be a name"),
        ({"columns": {"a": {"type": "text", "values": [5]}}}, "columns.a.values[0]: is not a text"),
        ({"columns": {"a": {"type": "date", "values": ["x"]}}}, "columns.a.values: does not go"),
        ({"columns": {"a": "text"}, "consent": ["a"]}, "consent[0]: is a text column, not a"),
        ({"links": {"o": ORDERS | {"kind": "few"}}}, "links.o.kind: 'few' is not a choice"),
        ({"links": {"o": ORDERS | {"on": {}}}}, "links.o.on: must not be empty"),
        ({"links": {"o": ORDERS | {"date": "day"}}}, "links.o.date: 'day' is not a column of the"),
        (
            {"links": {"o": ORDERS | {"date": "a", "columns": {"a": "text"}}}},
            "links.o.date: 'a' is a text column",
        ),
        ({"links": {"o": ORDERS | {"kind": "one", "key": "id"}}}, "links.o.key: is for links to"),
        (
            {"links": {"s": ORDERS | {"kind": "one", "links": {"o": ORDERS}}}},
            "links.s.links.o: leads to many rows behind a link to one",
        ),
        ({"columns": {"o": "text"}, "links": {"o": ORDERS}}, "links.o: has the name of a column"),
        ({"filters": ["a"]}, "filters: is not a mapping"),
        ({"filters": {"a": {"column": "x"}}}, "filters.a: has no comparison"),
        ({"filters": {"a": {"filter": "b"}}}, "filters.a: unknown filter 'b'"),
        ({"filters": {"a": {"filter": "a"}}}, "filters.a: holds itself: a > a"),
    ],
)
def test_what_cannot_be_meant_is_told(fields: dict[str, Any], problem: str) -> None:
    found = told(**fields)

    assert 1 == len(found), found
    assert found[0].startswith(problem)


def test_filters_that_hold_each_other_are_told_with_the_way_round() -> None:
    first = {"any": [{"filter": "b"}, {"filter": "c"}]}

    found = told(filters={"a": first, "b": {"filter": "c"}, "c": {"filter": "a"}, "d": first})

    assert [
        "filters.a: holds itself: a > c > a",
        "filters.b: holds itself: b > c > a > b",
        "filters.c: holds itself: c > a > c",
    ] == found


def test_problems_of_every_part_are_told_at_once() -> None:
    found = told(table="", columns={"a": "txt"}, filters={"f": {}}, links={"o": {}})

    assert 6 == len(found)


def test_filters_are_checked_against_the_columns_used_or_not() -> None:
    filters = {
        "a": {"column": "aeg", "above": 1},
        "b": [{"filter": "a"}],
        "c": {"column": "age", "is": "{{ x }}"},
    }
    people = read_dimension(
        PEOPLE | {"columns": {"age": "integer"}, "filters": filters}, name="people"
    )

    found = [str(each) for each in problems_of_filters(people)]

    assert "filters.a.column: unknown column 'aeg' (did you mean 'age'?)" == found[0]
    assert found[1].startswith("filters.c.is: does not go with a column of kind integer")
    assert 2 == len(found)
