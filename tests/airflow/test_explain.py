"""Explaining the rules of the example workflow, on the command line and over REST."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from starlette.testclient import TestClient

from smsflow_provider import load_workflows
from smsflow_provider.cli.demo.crm import Customer, make_customers, write_crm
from smsflow_provider.cli.main import main
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from tests.airflow.fixtures import store_connection
from tests.airflow.running import headers_of, register

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "dags" / "workflows" / "store_evening.yaml"
ROUTE = "/smsflow/api/v1/workflows/marketing.store_evening/audiences/guests/explain"


@pytest.fixture(scope="module")
def customers() -> Sequence[Customer]:
    """Plausible people."""
    return make_customers(300, random=Random(7), today=date(2026, 10, 1))


@pytest.fixture(scope="module")
def connection(postgres: EmbeddedPostgres, customers: Sequence[Customer]) -> Iterator[str]:
    """The demo's CRM, as an Airflow connection."""
    dsn = postgres.create_database("crm_to_explain")
    write_crm(dsn, customers)
    yield store_connection(dsn, conn_type="postgres")
    postgres.drop_database("crm_to_explain")


@pytest.fixture(autouse=True)
def crm(connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CRM behind the connection ``crm``, and the example rules."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", connection)
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", str(ROOT / "dags" / "rules"))


def told(capfd: pytest.CaptureFixture[str], *words: str) -> Any:
    capfd.readouterr()
    assert 0 == main(["explain", *words, "--json"])
    return json.loads(capfd.readouterr().out)


def is_masked(rows: Sequence[dict[str, Any]], customers: Sequence[Customer]) -> bool:
    numbers = {one.phone for one in customers if one.phone and len(one.phone) > 6}
    return not [one for one in numbers if one in json.dumps(rows, ensure_ascii=False)]


def test_an_activity_is_explained_by_counts_and_masked_rows(
    customers: Sequence[Customer], capfd: pytest.CaptureFixture[str]
) -> None:
    found = told(capfd, str(WORKFLOW), "guests", "--conf", "minimum_spent=0")

    assert len(customers) == found["everyone"]
    assert 5 == len(found["steps"])
    assert found["steps"][-1]["count"] == found["count"] > 0
    assert min(20, found["count"]) == len(found["sample"])
    assert len(customers) - found["count"] == sum(one["removed"] for one in found["steps"])
    assert is_masked(found["sample"], customers)
    assert any("·" in (row["phone"] or "") for row in found["sample"])


def test_rules_by_themselves_are_explained_in_words(
    tmp_path: Path, customers: Sequence[Customer], capfd: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "lyon.yaml"
    rules.write_text("rules:\n  - {column: city, equals: '{{ params.city }}'}\n")
    words = ["--rules", str(rules), "--dimension", "customers", "--conf", "city=Lyon"]
    assert 0 == main(["explain", *words, "--sample", "2"])

    out = capfd.readouterr().out
    count = sum(one.city == "Lyon" for one in customers)
    assert f"{count:>12,} {f'-{300 - count}':>10} City is Lyon" in out
    assert "Customers on crm (postgres)" in out
    assert "WHERE" in out
    assert is_masked([{"out": out}], customers)


def test_the_sql_alone_asks_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWAY", '{"conn_type": "mysql", "host": "away.test"}')
    monkeypatch.setenv("AIRFLOW_CONN_CRM", '{"conn_type": "postgres", "host": "away.test"}')
    assert 0 == main(["explain", str(WORKFLOW), "--sql", "--at", "2026-03-01"])

    sql = capfd.readouterr().out
    assert sql.startswith("SELECT")
    assert "2025-11-30 23:00:00+00:00" in sql  # 90 days before, midnight in Paris


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([str(WORKFLOW), "guest"], "did you mean 'guests'?"),
        ([str(WORKFLOW), "guests", "--conf", "regoin=Lyon"], "did you mean 'region'?"),
        ([str(WORKFLOW), "guests", "--conf", "minimum_spent=much"], "breaks what the parameter"),
        ([str(WORKFLOW), "guests", "--at", "soon"], "this is no moment"),
        ([str(WORKFLOW), "guests", "--conn-id", "crn"], "there is no connection crn"),
        (["marketing.store_evning"], "there is no workflow of this id"),
        ([], "name a workflow and its activity"),
        (["--rules", str(WORKFLOW)], "give --dimension"),
    ],
)
def test_what_cannot_be_explained_is_told(
    words: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["explain", *words])
    assert said in capfd.readouterr().err


@pytest.fixture
def known(server: TestClient) -> TestClient:
    """The API server; it knows the example workflow."""
    register(load_workflows(WORKFLOW)["marketing.store_evening"])
    return server


def test_who_may_start_a_workflow_may_ask_whom_it_finds(
    known: TestClient, customers: Sequence[Customer], capfd: pytest.CaptureFixture[str]
) -> None:
    body = {"conf": {"minimum_spent": 0, "region": "AUVERGNE-RHONE-ALPES"}}
    response = known.post(ROUTE, json=body, headers=headers_of("maria"))

    assert 200 == response.status_code, response.text
    found = response.json()
    assert len(customers) == found["everyone"]
    assert found["count"] == found["steps"][-1]["count"] > 0
    assert "SELECT" in found["sql"]
    assert is_masked(found["sample"], customers)
    same = told(
        capfd, str(WORKFLOW), "--conf", "minimum_spent=0", "--conf", "region=Auvergne-Rhône-Alpes"
    )
    assert [one["count"] for one in same["steps"]] == [one["count"] for one in found["steps"]]
    assert {*same, "workflow", "activity"} == set(found)
    assert same["sample"] == found["sample"]


@pytest.mark.parametrize(
    ("user", "route", "body", "status"),
    [
        ("vera", ROUTE, {}, 403),
        ("maria", ROUTE.replace("guests", "sms.send"), {}, 404),
        ("maria", ROUTE.replace("store_evening", "nothing"), {}, 404),
        ("maria", ROUTE, {"conf": {"minimum_spent": "much"}}, 422),
        ("maria", ROUTE, {"at": "soon"}, 422),
        ("maria", ROUTE, {"sample": 21}, 422),
    ],
)
def test_others_and_wrong_requests_are_refused(
    known: TestClient, user: str, route: str, body: dict[str, Any], status: int
) -> None:
    response = known.post(route, json=body, headers=headers_of(user))

    assert status == response.status_code, response.text
    assert "much" not in response.text


def test_nobody_asks_without_a_login(known: TestClient) -> None:
    assert 401 == known.post(ROUTE, json={}).status_code
