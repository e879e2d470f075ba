"""A proof as a task: between the preparation and the review."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import select
from starlette.testclient import TestClient

from smsflow_provider import BuildAudienceOperator, SendProofOperator, SmsDeliveryOperator
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.proofs import list_proofs
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.running import Run, make_metadata, send
from tests.prepared_delivery import make_prepared

TO = ["+33612345671", "06 12 34 56 72"]
EACH_ONCE = [("+33612345671", "PROOF #1 Hello 2"), ("+33612345672", "PROOF #1 Hello 2")]


@pytest.fixture(autouse=True)
def world(airflow_store: Store, simulator: RunningSimulator, server: TestClient) -> None:
    """A store, a gateway and Airflow."""
    del airflow_store, simulator, server
    make_metadata()


@pytest.fixture
def delivery(airflow_store: Store) -> Delivery:
    """A delivery of three messages that waits for its review."""
    return make_prepared(airflow_store, count=3, delivery_id=f"d-{uuid4().hex}")


def make_dag(name: str, delivery: Delivery | str, **fields: Any) -> DAG:
    given = delivery if isinstance(delivery, str) else delivery.id
    settings: dict[str, Any] = {"to": TO, "region": "FR", "recipients": "r2", **fields}
    with DAG(f"shop.{name}", schedule=None) as dag:
        SendProofOperator(task_id="proof", delivery=given, **settings)
    return dag


def texts(simulator: RunningSimulator) -> list[tuple[str, str]]:
    return sorted((one["to"], one["text"]) for one in simulator.messages())


def test_a_proof_is_sent_and_nothing_of_the_delivery(
    delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag("proof_once", delivery)).go()

    assert "success" == run.state
    assert EACH_ONCE == texts(simulator)
    report = run.xcom("proof")
    assert ("proof", "finished", 2) == (report["kind"], report["state"], report["accepted"])
    assert ("maria", delivery.id, 1) == tuple(report["proof"][key] for key in ("by", "of", "no"))
    assert DeliveryState.READY is find_delivery(airflow_store, delivery.id).state


def test_cleared_and_run_again_it_sends_nothing_twice(
    delivery: Delivery, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag("proof_again", delivery)).go()
    run.clear().go()

    assert ("success", 2) == (run.state, run.tries("proof"))
    assert EACH_ONCE == texts(simulator)


def test_content_that_was_prepared_anew_has_a_proof_of_its_own(
    delivery: Delivery, simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag("proof_anew", delivery)).go()
    make_prepared(airflow_store, count=2, delivery_id=delivery.id)
    run.clear().go()

    assert 4 == len(texts(simulator))
    shown = find_delivery(airflow_store, delivery.id)
    assert [2, 1] == [one.proof_no for one, _ in list_proofs(airflow_store, shown)]


def test_each_run_is_a_proof_of_its_own(delivery: Delivery, simulator: RunningSimulator) -> None:
    dag = make_dag("proof_runs", delivery)
    reports = [Run.start(dag).go().xcom("proof") for _ in range(2)]

    assert [1, 2] == [report["proof"]["no"] for report in reports]
    assert 4 == len(texts(simulator))


@pytest.mark.parametrize(
    ("fields", "bodies"),
    [
        ({"random": 3, "recipients": None}, {"Hello 1", "Hello 2", "Hello 3"}),
        ({"recipients": ["r1", "r3"]}, {"Hello 1", "Hello 3"}),
        ({"recipients": "{{ 'r' ~ 3 }}"}, {"Hello 3"}),
        ({"recipients": None}, {"Hello 1"}),
    ],
)
def test_messages_are_chosen_as_told(
    delivery: Delivery, simulator: RunningSimulator, fields: dict[str, Any], bodies: set[str]
) -> None:
    Run.start(make_dag(f"proof_{len(str(fields))}", delivery, mark=False, **fields)).go()

    assert bodies == {body for _, body in texts(simulator)}


def test_what_airflow_shows_of_it_names_no_one(
    delivery: Delivery, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run.start(make_dag("proof_shown", delivery)).go()
    said = capfd.readouterr().out
    with create_session() as session:
        (row,) = session.scalars(
            select(RenderedTaskInstanceFields).where(
                RenderedTaskInstanceFields.run_id == run.run_id
            )
        ).all()
        fields = dict(row.rendered_fields)

    assert {"delivery": delivery.id, "to": "2 numbers", "recipients": "1 recipients"} == fields
    assert not any(word in said + run.stored() for word in ("Hello", "61234567", "12 34 56"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"to": ["12"]}, "numbers that cannot be texted, by place"),
        ({"recipients": ["nobody"]}, "no message for those at these places: 1"),
        ({"pick": "longer"}, "'longer': ['longest']"),
        ({"pick": "dearest", "recipients": None}, "the preparation knows no dearest message"),
        ({"to": []}, "give at least one test number"),
    ],
)
def test_a_proof_that_is_wrong_fails_at_once_with_the_reason(
    delivery: Delivery,
    simulator: RunningSimulator,
    capfd: pytest.CaptureFixture[str],
    fields: dict[str, Any],
    said: str,
) -> None:
    dag = make_dag(f"proof_wrong_{len(said)}", delivery, retries=3, **fields)
    run = Run.start(dag).go()

    assert ("failed", 1) == (run.state, run.tries("proof"))
    assert said in capfd.readouterr().out
    assert [] == simulator.messages()


def test_what_is_not_prepared_has_no_proof(
    delivery: Delivery,
    simulator: RunningSimulator,
    airflow_store: Store,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with airflow_store.transaction() as connection:
        connection.execute("ALTER TABLE smsflow_deliveries DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE smsflow_deliveries SET state = 'preparation_failed', fingerprint = NULL"
            " WHERE no = %s",
            (delivery.no,),
        )
        connection.execute("ALTER TABLE smsflow_deliveries ENABLE TRIGGER ALL")
    run = Run.start(make_dag("proof_of_nothing", delivery)).go()

    assert "failed" == run.state
    assert "there is nothing to prove" in capfd.readouterr().out
    assert [] == simulator.messages()


def test_a_proof_goes_out_before_the_review_and_the_delivery_only_after_it(
    people: Path, templates: Path, simulator: RunningSimulator
) -> None:
    del templates
    with DAG("shop.proof_before_review", schedule=None) as dag:
        audience = BuildAudienceOperator(task_id="people", file=str(people))
        sms = SmsDeliveryOperator("sms", audience=audience.output, template="sale")
        prepare = cast("Any", sms.get_child_by_label("prepare"))
        proof = SendProofOperator(
            task_id="proof", delivery=prepare.output, to="+33698765432", recipients="c1"
        )
        prepare >> proof >> sms.get_child_by_label("review_and_send")
    run = Run.start(dag).go()
    before = texts(simulator)
    run.go(send)

    assert [("+33698765432", "PROOF #1 Xylophone sale for Zephyrine!")] == before
    assert "success" == run.state
    assert 3 == len(texts(simulator))
    assert 2 == run.xcom("sms.report")["accepted"]
