"""BuildAudienceOperator on real connections, files and functions, in this process."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pandas as pd
import polars as pl
import psycopg
import pytest
from airflow.sdk import DAG, ObjectStoragePath
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.io import attach
from psycopg.conninfo import conninfo_to_dict

from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.audience.read import read_audience
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.errors import AudienceError, NotFoundError
from smsflow_provider.core.store.audiences import find_audience, list_versions
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.hooks.audience import open_audience
from smsflow_provider.hooks.sources import FileSource
from smsflow_provider.operators.build_audience import BuildAudienceOperator

#: Both drivers an Airflow connection to PostgreSQL may use; the older one has no types.
DRIVERS = [psycopg, import_module("psycopg2")]

CUSTOMERS = [(1, "Zoé", "+33612345678", "Lyon"), (2, "Ben", "0612345679", "Paris")]


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The artifacts folder of this test."""
    folder = tmp_path / "arté facts"
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", str(folder))
    return folder


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite database behind the connection ``crm``."""
    path = tmp_path / "crm.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (id INTEGER, name TEXT, phone TEXT, city TEXT)")
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", CUSTOMERS)
    connection.commit()
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return "crm"


@pytest.fixture
def pg(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A PostgreSQL database behind the connection ``pg``; its DSN."""
    dsn = postgres.create_database("people")
    monkeypatch.setenv("AIRFLOW_CONN_PG", connection_of(dsn, conn_type="postgres"))
    yield dsn
    postgres.drop_database("people")


@pytest.fixture
def smsflow_store(store: Store, store_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store behind the connection ``smsflow_store``."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMSFLOW_STORE", connection_of(store_dsn, conn_type="smsflow_store")
    )
    return store


def connection_of(dsn: str, *, conn_type: str) -> str:
    parts = conninfo_to_dict(dsn)
    return json.dumps(
        {
            "conn_type": conn_type,
            "host": parts["host"],
            "port": int(parts["port"] or 5432),
            "login": parts["user"],
            "password": parts["password"],
            "schema": parts["dbname"],
        }
    )


def context_of(operator: BuildAudienceOperator, *, try_number: int = 1) -> Any:
    return {
        "ti": SimpleNamespace(
            dag_id="team.sale",
            run_id="manual__2026-01-02T03:04:05+00:00",
            task_id=operator.task_id,
            map_index=-1,
            try_number=try_number,
        )
    }


def run(try_number: int = 1, **settings: Any) -> dict[str, Any]:
    """Make the operator and execute it."""
    operator = BuildAudienceOperator(task_id="people", **settings)
    return operator.execute(cast("Any", context_of(operator, try_number=try_number)))


def open_artifact(uri: str) -> Any:
    return cast("Any", ObjectStoragePath(uri)).open("rb")


def frame_of(xcom: dict[str, Any]) -> pl.DataFrame:
    reference = AudienceReference.from_dict(xcom)
    return pl.concat(read_audience(reference, open_file=open_artifact, check_content=True))


@pytest.mark.usefixtures("artifacts")
def test_a_query_becomes_a_file_and_a_small_reference(crm: str) -> None:
    xcom = run(conn_id=crm, sql="SELECT * FROM customers ORDER BY id", id_column="id")

    assert {"uri", "count", "fingerprint"} == set(xcom)
    assert 2 == xcom["count"]
    assert json.loads(json.dumps(xcom)) == xcom
    assert ["recipient_id", "phone", "name", "city"] == frame_of(xcom).columns
    assert ["1", "2"] == frame_of(xcom)["recipient_id"].to_list()


def test_the_file_lies_under_dag_run_and_task(artifacts: Path, crm: str) -> None:
    xcom = run(conn_id=crm, sql="SELECT phone FROM customers", try_number=3)

    (path,) = artifacts.rglob("*.parquet")
    dag, run_folder, name = path.relative_to(artifacts).parts
    assert "team.sale" == dag
    assert run_folder.startswith("manual__2026-01-02T03_04_05_00_00-")
    assert name.startswith("people.3-")
    assert f"file://{path}" == xcom["uri"]


def test_the_same_try_run_twice_leaves_two_whole_files_of_the_same_people(
    artifacts: Path, crm: str
) -> None:
    first, second = (run(conn_id=crm, sql="SELECT phone FROM customers") for _ in range(2))

    assert first["fingerprint"] == second["fingerprint"]
    assert first["uri"] != second["uri"]
    assert 2 == len(list(artifacts.rglob("*.parquet")))
    assert frame_of(first).equals(frame_of(second))


@pytest.mark.usefixtures("artifacts")
def test_parameters_are_bound_by_the_driver(crm: str) -> None:
    sql = "SELECT phone FROM customers WHERE city = :city"

    assert 1 == run(conn_id=crm, sql=sql, parameters={"city": "Lyon"})["count"]
    assert (
        0
        == run(conn_id=crm, sql=sql, parameters={"city": "x' OR 1=1 --"}, on_empty="continue")[
            "count"
        ]
    )


@pytest.mark.usefixtures("artifacts")
def test_a_postgres_query_keeps_types_and_texts(pg: str) -> None:
    with psycopg.connect(pg) as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT 7 AS id, '+33612345678'::text AS phone,"
            " 12.50::numeric(10, 2) AS price, '2026-01-02'::date AS since, true AS vip,"
            " '2026-01-02 03:04:05+02'::timestamptz AS seen,"
            " '00000000-0000-0000-0000-000000000001'::uuid AS key, '{\"a\": [1]}'::jsonb AS facts,"
            " ARRAY['x', 'y'] AS tags, NULL::text AS nothing, 'é☎😀'::varchar AS name"
        )
    sql = "SELECT * FROM people WHERE id = %(id)s"
    row = frame_of(run(conn_id="pg", sql=sql, parameters={"id": 7}, id_column="id")).row(
        0, named=True
    )

    assert {
        "recipient_id": "7",
        "phone": "+33612345678",
        "price": Decimal("12.50"),
        "since": date(2026, 1, 2),
        "vip": True,
        "seen": datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC),
        "key": str(UUID(int=1)),
        "facts": '{"a": [1]}',
        "tags": '["x", "y"]',
        "nothing": None,
        "name": "é☎😀",
    } == row


@pytest.mark.parametrize("driver", DRIVERS)
def test_postgres_drivers_read_through_a_cursor_of_the_server(pg: str, driver: Any) -> None:
    """While a batch is out, the server has an open cursor: the rest is not in this process."""
    source = QueryBatches(
        lambda: driver.connect(pg),
        sql="SELECT g AS phone, (SELECT string_agg(name, ',') FROM pg_cursors) AS cursors"
        " FROM generate_series(1, 1000) AS g WHERE g > %(least)s",
        parameters={"least": 0},
        label="pg",
        rows=300,
    )
    batches = list(source.batches())

    assert [300, 300, 300, 100] == [batch.num_rows for batch in batches]
    assert {"smsflow_audience"} == set(batches[-1].column("cursors").to_pylist())


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("SELECT phon FROM pg_class", 'UndefinedColumn: column "phon" does not exist'),
        ("SELECT * FROM custmers", 'UndefinedTable: relation "custmers" does not exist'),
        (
            "SELECT x::int FROM (VALUES ('1'), (%(phone)s)) AS v (x)",
            'InvalidTextRepresentation: invalid input syntax for type integer: "..."',
        ),
    ],
)
def test_postgres_errors_name_columns_and_hide_values(
    pg: str, driver: Any, sql: str, cause: str
) -> None:
    parameters = {"phone": "x33612345678"} if "%" in sql else None
    source = QueryBatches(
        lambda: driver.connect(pg), sql=sql, parameters=parameters, label="pg", rows=1
    )
    with pytest.raises(AudienceError) as caught:
        list(source.batches())

    assert {"source": "pg", "cause": cause} == caught.value.facts
    assert "61234" not in str(caught.value)


@pytest.mark.parametrize("driver", DRIVERS)
def test_nobody_on_postgres_still_tells_the_columns(pg: str, driver: Any) -> None:
    source = QueryBatches(
        lambda: driver.connect(pg), sql="SELECT 1 AS id, 'x' AS phone WHERE false", label="pg"
    )
    (batch,) = source.batches()

    assert (0, ["id", "phone"]) == (batch.num_rows, batch.schema.names)


def test_a_connection_set_to_dictionaries_is_read_all_the_same(
    pg: str, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = json.loads(connection_of(pg, conn_type="postgres"))
    monkeypatch.setenv("AIRFLOW_CONN_PG", json.dumps(fields | {"extra": {"cursor": "dictcursor"}}))

    assert 1 == run(conn_id="pg", sql="SELECT '06' AS phone")["count"]
    assert artifacts.exists()


@pytest.mark.usefixtures("artifacts")
def test_a_connection_that_is_no_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WEB", json.dumps({"conn_type": "http", "host": "localhost"}))

    with pytest.raises(AudienceError, match="not a database") as caught:
        run(conn_id="web", sql="SELECT 1")
    assert {"conn_id": "web", "hook": "HttpHook"} == caught.value.facts


@pytest.mark.usefixtures("artifacts")
def test_a_csv_and_a_parquet_file_give_the_same_people(tmp_path: Path) -> None:
    csv_path, parquet_path = tmp_path / "people.csv", tmp_path / "people.pq"
    csv_path.write_text("\ufeffname;phone\nZoé;0612345678\nBen;+33 6\n", encoding="utf-8")
    pl.DataFrame({"name": ["Zoé", "Ben"], "phone": ["0612345678", "+33 6"]}).write_parquet(
        parquet_path
    )

    by_csv, by_parquet = (run(file=str(path)) for path in (csv_path, parquet_path))
    assert by_csv["fingerprint"] == by_parquet["fingerprint"]
    assert ["0612345678", "+33 6"] == frame_of(by_csv)["phone"].to_list()


@pytest.mark.usefixtures("artifacts")
def test_an_audience_is_itself_a_file_to_build_from(crm: str) -> None:
    first = run(conn_id=crm, sql="SELECT * FROM customers", id_column="id")

    assert first["fingerprint"] == run(file=first["uri"])["fingerprint"]


@pytest.mark.usefixtures("artifacts")
def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudienceError, match="cannot be opened") as caught:
        run(file=str(tmp_path / "none.csv"))

    assert "none.csv" in str(caught.value.facts["file"])
    assert "FileNotFoundError" == caught.value.facts["cause"]


def test_files_and_artifacts_may_lie_in_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    attach(protocol="memory", fs=import_module("fsspec").filesystem("memory"))
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", "memory://artifacts")
    path = ObjectStoragePath("memory://crm/people.csv")
    cast("Any", path).write_text("phone\n+33612345678\n")

    xcom = run(file="memory://crm/people.csv")
    assert xcom["uri"].startswith("memory:/")
    assert ["+33612345678"] == frame_of(xcom)["phone"].to_list()
    assert "people.csv" == FileSource(path).label


@pytest.mark.usefixtures("artifacts")
def test_a_function_gets_its_arguments_and_gives_people() -> None:
    def find_people(*, city: str) -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"phone": [None], "city": [city]})
        yield pd.DataFrame({"phone": ["0612345678"], "city": [city]})

    xcom = run(python_callable=find_people, op_kwargs={"city": "Lyon"})
    assert [("1", None, "Lyon"), ("2", "0612345678", "Lyon")] == frame_of(xcom).rows()


@pytest.mark.usefixtures("artifacts")
def test_pandas_and_a_query_give_the_same_people(crm: str) -> None:
    def find_people() -> pd.DataFrame:
        return pd.DataFrame(CUSTOMERS, columns=["id", "name", "phone", "city"])

    by_query = run(conn_id=crm, sql="SELECT * FROM customers ORDER BY id", id_column="id")
    by_pandas = run(python_callable=find_people, id_column="id")
    assert by_query["fingerprint"] == by_pandas["fingerprint"]


@pytest.mark.usefixtures("artifacts")
def test_a_missing_phone_column_is_told_with_what_there_is(crm: str) -> None:
    with pytest.raises(AudienceError) as caught:
        run(conn_id=crm, sql="SELECT id, phone AS phon FROM customers")

    assert [
        "there is no column 'phone', which phone_column names (did you mean 'phon'?)"
    ] == caught.value.facts["problems"]
    assert ["id", "phon"] == caught.value.facts["columns"]


@pytest.mark.parametrize(
    ("on_empty", "error"), [("fail", AudienceError), ("skip", AirflowSkipException)]
)
def test_nobody_fails_or_skips_and_leaves_no_file(
    artifacts: Path, crm: str, on_empty: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="empty"):
        run(conn_id=crm, sql="SELECT phone FROM customers WHERE id < 0", on_empty=on_empty)
    assert [] == list(artifacts.rglob("*"))


@pytest.mark.usefixtures("artifacts")
def test_nobody_may_be_fine(crm: str) -> None:
    sql = "SELECT phone FROM customers WHERE id < 0"

    assert 0 == run(conn_id=crm, sql=sql, on_empty="continue")["count"]


def test_wrong_settings_fail_the_task_for_good_with_all_problems() -> None:
    with pytest.raises(AirflowFailException) as caught:
        run(file="people.csv", audience="vip", parameters=[1], on_empty="skp")

    for problem in ("give one of audience, file", "parameters goes with sql", "'skip'"):
        assert problem in str(caught.value)


@pytest.mark.usefixtures("artifacts")
def test_an_audience_is_saved_and_found_by_its_name(crm: str, smsflow_store: Store) -> None:
    first = run(conn_id=crm, sql="SELECT phone FROM customers", save_as="vip")
    second = run(conn_id=crm, sql="SELECT phone FROM customers LIMIT 1", save_as="vip")

    assert second == run(audience="vip")
    assert first == run(audience="vip@1")
    saved = find_audience(smsflow_store, "vip", version=1)
    assert (("recipient_id", "text"), ("phone", "text")) == saved.columns
    assert ("team.sale", 2) == (saved.dag_id, saved.count)
    assert 2 == len(list_versions(smsflow_store, "vip"))


@pytest.mark.usefixtures("smsflow_store")
def test_an_unknown_saved_audience_is_told() -> None:
    with pytest.raises(NotFoundError, match="no saved audience"):
        run(audience="vip")


@pytest.mark.usefixtures("artifacts", "smsflow_store")
def test_a_saved_audience_of_nobody_follows_the_same_policy(crm: str) -> None:
    sql = "SELECT phone FROM customers WHERE id < 0"
    empty = run(conn_id=crm, sql=sql, on_empty="continue", save_as="nobody")

    with pytest.raises(AudienceError, match="empty"):
        run(audience="nobody")
    with pytest.raises(AirflowSkipException):
        run(audience="nobody", on_empty="skip")
    assert empty == run(audience="nobody", on_empty="continue")


@pytest.mark.usefixtures("artifacts")
def test_a_preparation_reads_plain_values_batch_by_batch(crm: str) -> None:
    xcom = run(conn_id=crm, sql="SELECT * FROM customers ORDER BY id", id_column="id")

    assert [
        {
            "recipient_id": ["1", "2"],
            "phone": ["+33612345678", "0612345679"],
            "name": ["Zoé", "Ben"],
            "city": ["Lyon", "Paris"],
        }
    ] == [
        frame.to_dict(as_series=False)
        for frame in open_audience(AudienceReference.from_dict(xcom)).frames()
    ]


def test_neither_log_nor_reference_nor_path_holds_a_number(
    artifacts: Path, crm: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        xcom = run(
            conn_id=crm,
            sql="SELECT * FROM customers WHERE phone = :phone",
            parameters={"phone": "+33612345678"},
        )
    told = capfd.readouterr()
    everything = [
        json.dumps(xcom),
        caplog.text,
        told.out,
        told.err,
        *map(str, artifacts.rglob("*")),
    ]

    assert not any("61234567" in text for text in everything)


def test_templates_are_rendered_and_a_query_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "people.sql").write_text("SELECT phone FROM {{ params.table }}", encoding="utf-8")
    with DAG("team.sale", template_searchpath=str(tmp_path), schedule=None):
        operator = BuildAudienceOperator(
            task_id="people",
            conn_id="crm",
            sql="people.sql",
            parameters={"city": "{{ params.city }}"},
            save_as="vip_{{ params.city }}",
        )
    operator.resolve_template_files()
    operator.render_template_fields(cast("Any", {"params": {"table": "customers", "city": "Lyon"}}))

    assert "SELECT phone FROM customers" == operator.sql
    assert {"city": "Lyon"} == operator.parameters
    assert "vip_Lyon" == operator.save_as


def test_parsing_a_dag_loads_no_heavy_library() -> None:
    code = (
        "import sys, smsflow_provider.operators.build_audience\n"
        "heavy = {'pandas', 'polars', 'pyarrow', 'aiohttp', 'sqlglot'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
