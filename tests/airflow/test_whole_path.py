"""From an audience to the report: whole DAGs in this process, a real store, a real gateway."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Self

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, task

from smsflow_provider import BuildAudienceOperator, SmsDeliveryOperator
from smsflow_provider.cli.demo.crm import Customer, make_customers, write_crm
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.receiver.stored import make_stored_app
from smsflow_provider.testing.serving import ServedApp
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import DIGITS, WORDS, MakeDag, store_connection
from tests.airflow.running import Run, headers_of, make_server, register, send
from tests.sending import check_sums

SECRETS = (*DIGITS, *WORDS)


class Reviewer:
    """A person in another place who answers the first question of a DAG, over REST."""

    def __init__(self, option: str, *, dag: DAG) -> None:
        self._option = option
        self._path = f"/api/v2/dags/{dag.dag_id}/dagRuns/~/hitlDetails"
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self.statuses: list[int] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=60)

    def _answer(self) -> None:
        client, headers = make_server(), headers_of("maria")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            open_ones = client.get(
                self._path,
                params={"state": "awaiting_input", "response_received": "false"},
                headers=headers,
            ).json()["hitl_details"]
            for each in open_ones:
                ti = each["task_instance"]
                path = (
                    f"/api/v2/dags/{ti['dag_id']}/dagRuns/{ti['dag_run_id']}"
                    f"/taskInstances/{ti['task_id']}/-1/hitlDetails"
                )
                body = {"chosen_options": [self._option], "params_input": {}}
                self.statuses.append(client.patch(path, json=body, headers=headers).status_code)
                return
            time.sleep(0.3)


@pytest.fixture
def receipts(
    make_dag: MakeDag, airflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A public address at which the gateway's receipts arrive."""
    del make_dag
    with ServedApp(make_stored_app(airflow_store)) as served:
        monkeypatch.setenv("AIRFLOW__SMSFLOW__PUBLIC_URL", served.url)
        yield served.url


def test_dag_test_walks_the_whole_path_and_what_follows_runs(
    make_dag: MakeDag,
    people: Path,
    simulator: RunningSimulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_dag(dag_id="shop.unused")
    seen: list[Any] = []

    @task
    def tell(report: Any) -> None:
        seen.append(report)

    with DAG("shop.by_dag_test", schedule=None) as dag:
        audience = BuildAudienceOperator(task_id="people", file=str(people))
        sms = SmsDeliveryOperator("sms", audience=audience.output, template="sale")
        audience >> sms >> tell(sms.output)
    register(dag)

    with Reviewer("Send", dag=dag) as reviewer:
        made = dag.test()

    assert [200] == reviewer.statuses
    run = Run(dag=dag, run_id=made.run_id)
    assert {"success"} == set(run.states.values())
    assert ("success", 2) == (run.state, len(simulator.messages()))
    assert [run.xcom("sms.report")] == seen
    check_sums(seen[0])
    known = run.stored() + capfd.readouterr().out
    assert [] == [word for word in SECRETS if word in known]


def test_dag_test_of_a_rejected_delivery_skips_what_follows(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    dag = make_dag()
    register(dag)

    with Reviewer("Reject", dag=dag):
        made = dag.test()

    assert "success" == Run(dag=dag, run_id=made.run_id).state
    assert [] == simulator.messages()


def test_everything_airflow_keeps_of_a_run_is_ids_and_counts(
    make_dag: MakeDag,
    receipts: str,
    simulator: RunningSimulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    simulator.behave(receipt_delay_min_s=0, receipt_delay_max_s=0.05)
    run = Run.start(make_dag()).go(send)
    kept, said = run.stored(), capfd.readouterr()

    assert "success" == run.state
    assert receipts in str(simulator.messages()[0]["callback_url"])
    assert [] == [word for word in SECRETS if word in kept]
    assert [] == [word for word in SECRETS if word in said.out + said.err]
    assert {"uri", "count", "fingerprint"} == set(run.xcom("people"))
    for task_id in ("sms.prepare", "sms.review_and_send", "sms.send", "sms.report"):
        leaves = _leaves(run.xcom(task_id))
        assert all(leaf is None or isinstance(leaf, str | int | bool) for leaf in leaves)
        assert max(len(str(leaf)) for leaf in leaves) <= 100


def test_the_report_waits_for_receipts(
    make_dag: MakeDag, receipts: str, simulator: RunningSimulator
) -> None:
    simulator.behave(receipt_delay_min_s=0.2, receipt_delay_max_s=0.4, delivered_share=1.0)
    run = Run.start(make_dag()).go(send)
    report = run.xcom("sms.report")

    assert receipts
    assert (2, 2, 0) == (report["accepted"], report["delivered"], report["waiting"])
    check_sums(report)


def test_a_message_whose_answer_is_lost_is_unknown_and_not_sent_again(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    simulator.behave(lost_share=1.0)
    try:
        run = Run.start(make_dag()).go(send)
    finally:
        simulator.behave(lost_share=0.0)
    report = run.xcom("sms.report")

    assert ("success", "finished", 2) == (run.state, report["state"], report["unknown"])
    assert 2 == len(simulator.messages())

    run.clear().go()

    assert 2 == len(simulator.messages())


@pytest.fixture(scope="module")
def customers() -> Sequence[Customer]:
    """Plausible people, with the flaws real tables have."""
    return make_customers(80, random=Random(7), today=date(2026, 10, 1))


@pytest.fixture
def crm(
    postgres: EmbeddedPostgres,
    customers: Sequence[Customer],
    make_dag: MakeDag,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """A CRM behind the connection ``crm``, and the templates of the example workflows."""
    del make_dag
    dsn = postgres.create_database("crm")
    write_crm(dsn, customers)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", store_connection(dsn, conn_type="postgres"))
    monkeypatch.setenv("AIRFLOW__SMSFLOW__TEMPLATES", str(repository / "dags" / "templates"))
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RULES", str(repository / "dags" / "rules"))
    yield
    postgres.drop_database("crm")


@pytest.fixture(scope="module")
def examples() -> dict[str, DAG]:
    """The DAGs of ``dags/``, loaded as Airflow loads them."""
    bag = DagBag(Path(__file__).parents[2] / "dags")
    assert {} == bag.import_errors
    return dict(bag.dags)


Chosen = Callable[[Customer], bool]


@pytest.mark.usefixtures("crm")
@pytest.mark.parametrize(
    ("dag_id", "conf", "is_chosen"),
    [
        ("marketing.spring_sale", {}, lambda _: True),
        (
            "marketing.store_opening",
            {"city": "Lyon", "opens_on": "2027-03-06", "minimum_points": 10},
            lambda person: person.city == "Lyon" and person.loyalty_points >= 10,
        ),
        (
            "marketing.weekly_offer",
            {},
            lambda person: (
                person.last_order_on is not None
                and (utc_now().date() - person.last_order_on).days <= 90
            ),
        ),
        (
            "marketing.win_back",
            {"quiet_days": 200},
            lambda person: (
                person.last_order_on is not None
                and (utc_now().date() - person.last_order_on).days > 200
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_example_workflow_sends_what_was_prepared_once_each(
    dag_id: str,
    conf: dict[str, Any],
    is_chosen: Chosen,
    examples: dict[str, DAG],
    customers: Sequence[Customer],
    simulator: RunningSimulator,
    airflow_store: Store,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = Run.start(examples[dag_id], conf=conf).go()

    assert [] == simulator.messages()

    run.go(send)

    assert "success" == run.state
    report, sent = run.xcom("sms.report"), simulator.messages()
    check_sums(report)
    assert sum(map(is_chosen, customers)) == report["targeted"]
    assert report["to_deliver"] == report["accepted"] == len(sent) > 0
    assert len(sent) == len({one["to"] for one in sent})
    assert report["parts"] == sum(one["parts"] for one in sent)
    with airflow_store.transaction() as connection:
        prepared = connection.execute(
            "SELECT phone, body FROM smsflow_messages WHERE preparation = %s",
            [find_delivery(airflow_store, report["delivery"]).preparation],
        ).fetchall()
    assert {(f"+{row['phone']}", row["body"]) for row in prepared} == {
        (one["to"], one["text"]) for one in sent
    }
    known = run.stored() + capfd.readouterr().out
    assert [] == [one["to"] for one in sent if one["to"][3:] in known]
    assert [] == [one["text"] for one in sent if one["text"][:25] in known]


def test_the_examples_are_all_the_dags_there_are(examples: dict[str, DAG]) -> None:
    assert {
        "marketing.spring_sale",
        "marketing.store_evening",
        "marketing.store_opening",
        "marketing.weekly_offer",
        "marketing.win_back",
        "smsflow.maintenance",
    } == set(examples)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]
