from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.query import (
    STREAMING,
    QueryBatches,
    errors_of,
    open_cursor,
    streaming_table,
    told_of,
)
from smsflow_provider.core.errors import AudienceError


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER, phone TEXT, city TEXT, n)")
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?, ?, ?)",
            [(k, f"+336{k:08d}", "Lyon" if k % 2 else "Paris", None) for k in range(10)],
        )
    connection.close()
    return path


def query(crm: Path, sql: str, **settings: Any) -> QueryBatches:
    return QueryBatches(lambda: sqlite3.connect(crm), sql=sql, label="crm", **settings)


def table_of(source: QueryBatches) -> pa.Table:
    return pa.concat_tables(
        [pa.Table.from_batches([batch]) for batch in source.batches()], promote_options="default"
    )


def refusal(source: QueryBatches) -> AudienceError:
    with pytest.raises(AudienceError) as caught:
        table_of(source)
    return caught.value


def test_rows_come_in_batches_under_the_names_of_the_query(crm: Path) -> None:
    source = query(crm, "SELECT id, phone AS mobile FROM customers ORDER BY id", rows=4)

    assert [4, 4, 2] == [batch.num_rows for batch in source.batches()]
    assert ["id", "mobile"] == table_of(source).column_names
    assert list(range(10)) == table_of(source).column("id").to_pylist()


@pytest.mark.parametrize(
    ("placeholder", "parameters"), [(":city", {"city": "Lyon"}), ("?", ["Lyon"])]
)
def test_parameters_are_bound(crm: Path, placeholder: str, parameters: Any) -> None:
    sql = f"SELECT id FROM customers WHERE city = {placeholder} ORDER BY id"  # noqa: S608  test

    found = table_of(query(crm, sql, parameters=parameters))
    assert [1, 3, 5, 7, 9] == found.column("id").to_pylist()


def test_a_parameter_is_a_value_whatever_it_holds(crm: Path) -> None:
    sql = "SELECT id FROM customers WHERE city = :city"

    assert 0 == table_of(query(crm, sql, parameters={"city": "' OR '1'='1"})).num_rows


def test_without_parameters_per_cent_signs_are_left_alone(crm: Path) -> None:
    assert 5 == table_of(query(crm, "SELECT id FROM customers WHERE city LIKE 'L%'")).num_rows


@pytest.mark.parametrize("sql", ["SELECT 1 AS phone;", " SELECT 1 AS phone ; \n"])
def test_a_semicolon_at_the_end_does_no_harm(crm: Path, sql: str) -> None:
    assert 1 == table_of(query(crm, sql)).num_rows


def test_nobody_still_tells_the_columns(crm: Path) -> None:
    found = table_of(query(crm, "SELECT id, phone FROM customers WHERE id < 0"))

    assert (["id", "phone"], 0) == (found.column_names, found.num_rows)


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("SELECT phon FROM customers", "OperationalError: no such column: phon"),
        ("SELECT * FROM customer", "OperationalError: no such table: customer"),
        ("SELEC 1", 'OperationalError: near "SELEC": syntax error'),
    ],
)
def test_a_query_that_fails_tells_what_the_driver_said(crm: Path, sql: str, cause: str) -> None:
    error = refusal(query(crm, sql))

    assert {"source": "crm", "cause": cause} == error.facts
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_failure_on_a_later_row_is_told_too(crm: Path) -> None:
    def fail_at(number: int) -> int:
        if number == 7:
            raise ValueError("0612345678")
        return number

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(crm)
        connection.create_function("fail_at", 1, fail_at)
        return connection

    source = QueryBatches(connect, sql="SELECT fail_at(id) FROM customers", label="crm", rows=2)
    error = refusal(source)
    assert "the query of the audience failed" == error.problem
    assert "0612345678" not in str(error)


def test_a_statement_without_rows_is_refused_and_changes_nothing(crm: Path) -> None:
    assert "must be a SELECT" in str(refusal(query(crm, "DELETE FROM customers")))

    assert 10 == table_of(query(crm, "SELECT id FROM customers")).num_rows


def test_the_connection_is_closed_when_the_reader_stops_early(crm: Path) -> None:
    opened: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        opened.append(sqlite3.connect(crm))
        return opened[0]

    batches = QueryBatches(connect, sql="SELECT id FROM customers", label="crm", rows=2).batches()
    next(batches)
    batches.close()  # type: ignore[attr-defined]

    with pytest.raises(sqlite3.ProgrammingError):
        opened[0].execute("SELECT 1")


def test_a_value_that_cannot_be_kept_is_our_own_error(crm: Path) -> None:
    error = refusal(query(crm, "SELECT x'00ff' AS photo"))

    assert {"column": "photo", "type": "bytes"} == error.facts


class DictCursor:
    """What a connection set to dictionary rows hands out."""

    description = (("id", None), ("phone", None))

    def __init__(self) -> None:
        self.left: list[dict[str, Any]] = [{"phone": "06", "id": 1}]

    def execute(self, sql: str) -> None:
        assert "SELECT" in sql

    def fetchmany(self, count: int) -> Sequence[Any]:
        page, self.left = self.left[:count], self.left[count:]
        return page

    def close(self) -> None:
        self.left = []


class DictConnection:
    """A driver with the least of DB-API: no ``Error``, no ``rollback``."""

    def cursor(self) -> DictCursor:
        return DictCursor()

    def close(self) -> None:
        """Nothing is open."""


def test_rows_that_are_dictionaries_are_read_by_name() -> None:
    source = QueryBatches(DictConnection, sql="SELECT 1", label="odd")

    assert [{"id": 1, "phone": "06"}] == table_of(source).to_pylist()


def test_a_driver_without_an_error_of_its_own_is_not_trusted_with_any() -> None:
    assert (Exception,) == errors_of(DictConnection())
    assert (sqlite3.Error,) == errors_of(sqlite3.connect(":memory:"))


class SSCursor:
    """Stands for the cursor class of a MySQL driver."""


def cursor_asked_of(module: str) -> tuple[Any, ...]:
    """Tell how the cursor is asked for on a connection of this driver."""
    asked: list[tuple[Any, ...]] = []

    def cursor(_self: object, *args: Any, **kwargs: Any) -> None:
        asked.append((*args, *kwargs.values()))

    open_cursor(type("Connection", (), {"__module__": module, "cursor": cursor})())
    return asked[0]


@pytest.fixture
def drivers() -> Iterator[dict[str, ModuleType]]:
    """Modules that look like drivers that are not installed here."""
    made = {name: ModuleType(name) for name in ("pymysql.cursors", "MySQLdb.cursors")}
    for module in made.values():
        module.SSCursor = SSCursor  # type: ignore[attr-defined]
    absent = {name: module for name, module in made.items() if name not in sys.modules}
    sys.modules.update(absent)
    yield made
    for name in absent:
        del sys.modules[name]


@pytest.mark.parametrize("module", ["pymysql.connections", "MySQLdb.connections"])
@pytest.mark.usefixtures("drivers")
def test_mysql_drivers_are_asked_for_their_unbuffered_cursor(module: str) -> None:
    assert (SSCursor,) == cursor_asked_of(module)


@pytest.mark.parametrize("module", ["mysql.connector.connection", "oracledb", "pyodbc", "x.y"])
def test_other_drivers_are_asked_for_a_plain_cursor(module: str) -> None:
    assert () == cursor_asked_of(module)


def test_the_table_in_the_documentation_is_the_one_in_the_code(repository: Path) -> None:
    text = (repository / "docs" / "audiences.md").read_text(encoding="utf-8")

    assert streaming_table() in text
    assert all(f"`{one.driver}`" in text for one in STREAMING)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('column "phon" does not exist\nLINE 1: SELECT phon', 'E: column "phon" does not exist'),
        ('invalid input for integer: "0612345678"', 'E: invalid input for integer: "..."'),
        ("bad value 'Dupont' for `city`", "E: bad value '...' for `city`"),
        ("bad value 0612345678", "E: bad value ..."),
        ("value Marseille is odd", "E: value ... is odd"),
        ("limit is 2000 rows", "E: limit is 2000 rows"),
        ("", "E: "),
    ],
)
def test_an_error_keeps_names_and_hides_values(said: str, told: str) -> None:
    class E(Exception):  # noqa: N818  the name shows in the text
        pass

    sql = "SELECT phon, city FROM customers LIMIT 2000"
    assert told == told_of(E(said), sql=sql, parameters={"town": "Marseille", "x": 1})


@given(number=st.integers(10**6, 10**15), frame=st.sampled_from(['"{}"', "'{}'", "={}", "({})"]))
def test_no_number_of_a_row_gets_into_an_error(number: int, frame: str) -> None:
    told = told_of(ValueError("bad " + frame.format(number)), sql="SELECT phone FROM customers")

    assert not re.search(r"\d{4}", told)
