"""Audiences by rules in real Airflow: the example workflow, its counts, what it must not say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import psycopg
import pytest
from airflow.sdk import DAG, ObjectStoragePath
from psycopg.conninfo import make_conninfo

from smsflow_provider import BuildAudienceOperator, load_workflows
from smsflow_provider.cli.demo.crm import Customer, make_customers, write_crm
from smsflow_provider.cli.demo.shop import Order, make_orders, product_rows, store_rows
from smsflow_provider.core.audience.read import read_audience
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.rules.fluent import col, link
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.store.audience_files import find_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from tests.airflow.fixtures import store_connection
from tests.airflow.running import Run, make_metadata

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 10, 1)
_STEP = re.compile(r"Condition (\d+): (\d+) left, (\d+) removed: (.*?)(?:  +\[| \[|\n|$)")


@pytest.fixture(scope="module")
def customers() -> Sequence[Customer]:
    """Plausible people."""
    return make_customers(600, random=Random(7), today=TODAY)


@pytest.fixture(scope="module")
def orders(customers: Sequence[Customer]) -> Sequence[Order]:
    """What they bought."""
    return make_orders((one.customer_id, one.city, one.last_order_on) for one in customers)


@pytest.fixture(scope="module")
def crm_dsn(postgres: EmbeddedPostgres, customers: Sequence[Customer]) -> Iterator[str]:
    """The demo's CRM."""
    dsn = postgres.create_database("crm_by_rules")
    write_crm(dsn, customers)
    yield dsn
    postgres.drop_database("crm_by_rules")


@pytest.fixture
def crm(
    crm_dsn: str, airflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """The CRM behind the connection ``crm``, the example rules, a store."""
    make_metadata()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", store_connection(crm_dsn, conn_type="postgres"))
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", str(ROOT / "dags" / "rules"))
    return airflow_store


def frame_of(xcom: dict[str, Any]) -> pl.DataFrame:
    def open_file(uri: str) -> Any:
        return ObjectStoragePath(uri).open("rb")  # type: ignore[no-untyped-call]

    reference = AudienceReference.from_dict(xcom)
    return pl.concat(read_audience(reference, open_file=open_file, check_content=True))


def built(dag: DAG, task_id: str, **settings: Any) -> dict[str, Any]:
    run = Run.start(dag, **settings).go_only(task_id)
    assert "success" == run.states[task_id]
    found: dict[str, Any] = run.xcom(task_id)
    return found


def said_by(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    """Read all that was logged, wherever Airflow sends it in a test."""
    return capsys.readouterr().out + caplog.text


def guests_of(
    customers: Sequence[Customer], orders: Sequence[Order], *, region: str, spent: int
) -> list[int]:
    """Count after each condition of the example, by hand."""
    cities = {city for _, _, city, kept in store_rows() if kept == region}
    garden = {number for number, _, category in product_rows() if category == "garden"}
    start_on = utc_now().astimezone(ZoneInfo("Europe/Paris")).date() - timedelta(days=90)
    left = list(customers)
    counts = [len(left)]

    def of(person: Customer, **fields: Any) -> list[Order]:
        return [
            one
            for one in orders
            if one.customer_id == person.customer_id
            and all(getattr(one, name) in values for name, values in fields.items())
        ]

    def returned(person: Customer) -> bool:
        zone = ZoneInfo("Europe/Paris")
        days = [one.ordered_at.astimezone(zone).date() for one in of(person, status={"returned"})]
        return any(day >= start_on for day in days)

    for passes in (
        lambda person: person.city in cities,
        lambda person: len(of(person, status={"paid"})) >= 2,
        lambda person: sum((one.amount for one in of(person, status={"paid"})), Decimal()) >= spent,
        lambda person: bool(of(person, product_id=garden)) or person.loyalty_points >= 500,
        lambda person: not returned(person),
    ):
        left = [person for person in left if passes(person)]
        counts.append(len(left))
    return counts


def test_the_log_of_the_example_shows_who_each_condition_removed(
    crm: Store,
    customers: Sequence[Customer],
    orders: Sequence[Order],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    dag = load_workflows(ROOT / "dags" / "workflows")["marketing.store_evening"]
    conf = {"region": "AUVERGNE-Rhone-Alpes", "minimum_spent": 150}

    xcom = built(dag, "guests", conf=conf)
    said = said_by(capsys, caplog)

    expected = guests_of(customers, orders, region="Auvergne-Rhône-Alpes", spent=150)
    logged = [(int(left), int(gone)) for _, left, gone, _ in _STEP.findall(said)]
    assert f"Everyone: {expected[0]}" in said
    assert [(b, a - b) for a, b in pairwise(expected)] == logged
    assert xcom["count"] == expected[-1] > 0
    assert "store region is AUVERGNE-Rhone-Alpes" in said
    assert [] == [
        one.phone for one in customers if (one.phone or "").strip()[6:] and str(one.phone) in said
    ]

    made = find_file(crm, xcom["uri"]).made
    assert ("rules", "customers", expected[0]) == (
        made["source"],
        made["dimension"],
        made["everyone"],
    )
    assert expected[1:] == [step["count"] for step in made["steps"]]
    assert 'FROM "customers"' in made["sql"]


def test_the_file_has_the_columns_that_were_asked_for(crm: Store) -> None:
    del crm
    dag = load_workflows(ROOT / "dags" / "workflows")["marketing.store_evening"]
    frame = frame_of(built(dag, "guests", conf={"minimum_spent": 0}))

    names = ["recipient_id", "phone", "language", "first_name", "store_name"]
    assert names == frame.columns
    assert {"Magasin de Paris", "Magasin de Évry"} >= set(frame["store_name"])


def one_task(name: str, **settings: Any) -> DAG:
    with DAG(f"shop.{name}", schedule=None) as dag:
        BuildAudienceOperator(task_id="people", **settings)
    return dag


def test_rules_in_python_find_the_same_people_as_in_yaml(crm: Store) -> None:
    del crm
    in_python = (col("country").is_in("FR", "BE") & link("orders").at_least(2)) - col(
        "city"
    ).equals("Paris")
    in_yaml = {
        "all": [
            {
                "all": [
                    {"column": "country", "in": ["FR", "BE"]},
                    {"link": "orders", "at_least": 2},
                ]
            }
        ],
        "except": [{"column": "city", "equals": "Paris"}],
    }
    first, second = (
        built(one_task("both", rules=rules, dimension="customers"), "people")
        for rules in (in_python, in_yaml)
    )

    assert first["fingerprint"] == second["fingerprint"]
    assert first["count"] > 0


def test_a_rule_that_holds_a_phone_is_logged_without_it(
    crm: Store,
    customers: Sequence[Customer],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "rules" / "dimensions"
    folder.mkdir(parents=True)
    text = (ROOT / "dags" / "rules" / "dimensions" / "customers.yaml").read_text()
    (folder / "people.yaml").write_text(text.replace("columns:\n", "columns:\n  phone: text\n", 1))
    phone = next(one.phone for one in customers if one.phone and one.phone.startswith("+"))
    rules = [{"column": "phone", "in": [phone, "0033 6 12 34 56 78"]}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__SMSFLOW__RULES", str(folder.parent))
        xcom = built(one_task("phone", rules=rules, dimension="people"), "people")

    assert 1 <= xcom["count"]
    said = said_by(capsys, caplog)
    assert "Condition 1: " in said
    made = json.dumps(find_file(crm, xcom["uri"]).made)
    assert not [one for one in (phone, "6 12 34 56 78") if one in said or one in made]


def test_a_table_is_read_by_the_columns_that_are_needed(crm: Store, crm_dsn: str) -> None:
    del crm, crm_dsn
    settings = {"table": "customers", "conn_id": "crm", "id_column": "customer_id"}
    frame = frame_of(built(one_task("table", **settings, columns=["city"]), "people"))

    assert ["recipient_id", "phone", "city"] == frame.columns
    assert 600 == frame.height


def test_a_table_that_would_change_the_statement_is_only_an_odd_name(crm: Store) -> None:
    del crm
    table = 'customers"; DROP TABLE orders; --'
    operator = BuildAudienceOperator(task_id="people", table=table, conn_id="crm")
    with pytest.raises(AudienceError, match=r"the query of the audience failed|cannot be the name"):
        operator.execute(context_of(operator))


def context_of(operator: BuildAudienceOperator) -> Any:
    from types import SimpleNamespace  # noqa: PLC0415

    ti = SimpleNamespace(
        dag_id="shop.odd", run_id="r", task_id=operator.task_id, map_index=-1, try_number=1
    )
    return {"ti": ti, "logical_date": datetime(2026, 10, 1, tzinfo=UTC)}


def test_relative_dates_count_from_the_logical_date_of_the_run(
    crm: Store, customers: Sequence[Customer]
) -> None:
    """The same run, cleared next year, finds the same people."""
    del crm
    rules = [{"column": "last_order_on", "within_last": "30 days"}]
    operator = BuildAudienceOperator(task_id="people", rules=rules, dimension="customers")
    first_on = TODAY - timedelta(days=30)
    expected = sum(bool(one.last_order_on and one.last_order_on >= first_on) for one in customers)

    assert expected == operator.execute(context_of(operator))["count"] > 0


def test_more_people_than_the_row_limit_are_nobody(crm: Store) -> None:
    del crm
    operator = BuildAudienceOperator(
        task_id="people", rules={"everyone": True}, dimension="customers", row_limit=599
    )
    with pytest.raises(AudienceError, match="nobody is taken"):
        operator.execute(context_of(operator))


def test_a_link_that_leads_to_several_rows_is_told_and_not_taken_for_nobody(
    crm: Store, crm_dsn: str
) -> None:
    del crm
    with psycopg.connect(make_conninfo(crm_dsn), autocommit=True) as connection:
        connection.execute("ALTER TABLE stores DROP CONSTRAINT stores_city_key")
        connection.execute("INSERT INTO stores VALUES (99, 'Twin', 'Paris', 'Nowhere')")
        operator = BuildAudienceOperator(
            task_id="people",
            rules=[{"column": "store.region", "is_null": False}],
            dimension="customers",
            on_empty="skip",
        )
        try:
            with pytest.raises(AudienceError, match="leads to several rows") as caught:
                operator.execute(context_of(operator))
        finally:
            connection.execute("DELETE FROM stores WHERE store_id = 99")

    assert {"store": 1} == caught.value.facts["keys_with_several_rows"]


SHAPE = """
conn_id: crm
table: {table}
key: {key}
phone: phone
consent: [consents]
columns: {{consents: boolean}}
"""


@pytest.fixture
def shapes(crm: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for dimensions of a test's own."""
    del crm
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", str(tmp_path / "rules"))
    folder = tmp_path / "rules" / "dimensions"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def twins(crm_dsn: str) -> str:
    """A table with somebody who is there twice, and somebody who did not consent."""
    with psycopg.connect(make_conninfo(crm_dsn), autocommit=True) as connection:
        connection.execute("CREATE TABLE twins (id text, nr integer, phone text, consents boolean)")
        connection.execute(
            "INSERT INTO twins VALUES ('a', 1, '1', true), ('b', 2, '2', true), "
            "('a', 3, '3', true), ('c', 4, '4', false), ('d', 5, '5', NULL)"
        )
    return "twins"


def of_shape(folder: Path, **settings: Any) -> BuildAudienceOperator:
    (folder / "people.yaml").write_text(SHAPE.format(table="twins", key=settings.pop("key", "nr")))
    return BuildAudienceOperator(
        task_id="people", rules={"everyone": True}, dimension="people", **settings
    )


def test_somebody_who_is_there_twice_makes_no_audience(shapes: Path, twins: str) -> None:
    operator = of_shape(shapes, key="id")

    with pytest.raises(AudienceError, match="texted twice") as caught:
        operator.execute(context_of(operator))

    assert (twins, "id") == (caught.value.facts["table"], caught.value.facts["key"])


def test_a_column_the_database_has_not_is_told_with_the_near_name(shapes: Path, twins: str) -> None:
    operator = of_shape(shapes, key="nnr")

    with pytest.raises(AudienceError) as caught:
        operator.execute(context_of(operator))

    assert [f"{twins} has no column 'nnr' (did you mean 'nr'?)"] == caught.value.facts["problems"]


@pytest.mark.usefixtures("twins")
@pytest.mark.parametrize(("said", "count"), [("False", 3), ("", 3), ("true", 5), (True, 5)])
def test_consent_counts_unless_a_clear_word_says_otherwise(
    shapes: Path, said: Any, count: int
) -> None:
    """A parameter that is false renders to the text False, which Python takes for true."""
    operator = of_shape(shapes, regardless_of_consent=said)

    assert count == operator.execute(context_of(operator))["count"]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([{"column": "citty", "equals": "Lyon"}], "did you mean 'city'?"),
        ([{"column": "loyalty_points", "at_least": "{{ params.x }}"}], "still a template"),
    ],
)
def test_rules_that_do_not_fit_the_dimension_fail_at_once(
    crm: Store, rules: list[Any], problem: str
) -> None:
    """Another try could not help."""
    from airflow.sdk.exceptions import AirflowFailException  # noqa: PLC0415

    del crm
    operator = BuildAudienceOperator(task_id="people", rules=rules, dimension="customers")
    with pytest.raises(AirflowFailException, match=re.escape(problem)):
        operator.execute(context_of(operator))


def test_rules_of_no_sound_shape_are_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(AudienceError) as caught:
        BuildAudienceOperator(task_id="people", rules=[{"colum": "city"}], dimension="customers")

    assert "rules.all[0].colum" in str(caught.value.facts["problems"])
