"""A plain text to a few people: the operator, and the notifier in all the places it is called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, BaseOperator, task
from airflow.utils.session import create_session
from sqlalchemy import select
from starlette.testclient import TestClient

from smsflow_provider import SendSmsOperator, SmsNotifier
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.store.approvals import find_approval
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, list_deliveries
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.running import Run, make_metadata

ON_CALL = ["+33612345671", "06 12 34 56 72"]
TEXT = "Quokka is down"
GONE = json.dumps(
    {"conn_type": "smsflow_store", "host": "127.0.0.1", "port": 9, "schema": "smsflow"}
)


@pytest.fixture(autouse=True)
def world(airflow_store: Store, simulator: RunningSimulator, server: TestClient) -> None:
    """A store, a gateway and Airflow."""
    del airflow_store, simulator, server
    make_metadata()


def make_dag(name: str, **fields: Any) -> DAG:
    with DAG(f"oncall.{name}", schedule=None) as dag:
        settings: dict[str, Any] = {"to": ON_CALL, "text": TEXT, "region": "FR", **fields}
        SendSmsOperator(task_id="text", **settings)
    return dag


def latest(store: Store) -> Delivery:
    return list_deliveries(store, limit=1)[0][0]


def texts(simulator: RunningSimulator) -> list[tuple[str, str]]:
    return sorted((one["to"], one["text"]) for one in simulator.messages())


EACH_ONCE = [("+33612345671", TEXT), ("+33612345672", TEXT)]


def test_a_text_reaches_each_number_once_and_its_author_is_recorded(
    simulator: RunningSimulator, airflow_store: Store
) -> None:
    run = Run.start(make_dag("once")).go()

    assert "success" == run.state
    assert EACH_ONCE == texts(simulator)
    report = run.xcom("text")
    assert ("direct", "finished", 2) == (report["kind"], report["state"], report["accepted"])
    delivery = find_delivery(airflow_store, report["delivery"])
    approval = find_approval(airflow_store, delivery)
    assert approval is not None
    assert ("maria", "author") == (approval.decided_by, approval.via)
    assert DeliveryKind.DIRECT is delivery.kind
    assert (run.run_id, "text") == (delivery.origin.run_id, delivery.origin.task_id)


def test_tried_again_it_sends_nothing_twice(simulator: RunningSimulator) -> None:
    run = Run.start(make_dag("again")).go()
    run.clear().go()
    run.clear().go()

    assert ("success", 3) == (run.state, run.tries("text"))
    assert EACH_ONCE == texts(simulator)


def test_each_run_is_a_text_of_its_own(simulator: RunningSimulator) -> None:
    dag = make_dag("runs")
    Run.start(dag).go()
    Run.start(dag).go()

    assert sorted(EACH_ONCE * 2) == texts(simulator)


def test_numbers_and_text_are_templated(simulator: RunningSimulator) -> None:
    dag = make_dag(
        "templated", to="{{ dag_run.conf.number }}", text="{{ dag.dag_id }} is late", sender="OPS"
    )
    Run.start(dag, conf={"number": "+33612345671"}).go()

    assert [("+33612345671", "oncall.templated is late")] == texts(simulator)
    assert ["OPS"] == [one["sender"] for one in simulator.messages()]


def test_numbers_come_from_a_task_too(simulator: RunningSimulator) -> None:
    with DAG("oncall.from_a_task", schedule=None) as dag:

        @task
        def who() -> list[str]:
            return ["+33612345671"]

        SendSmsOperator(task_id="text", to=cast("Any", who()), text=TEXT)

    assert "success" == Run.start(dag).go().state
    assert EACH_ONCE[:1] == texts(simulator)


def test_what_airflow_shows_of_it_names_no_one_and_no_text(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = Run.start(make_dag("shown", to="+33612345671, +33612345671")).go()
    said = capfd.readouterr().out
    assert "numbers that cannot be texted, by place" in said

    run = Run.start(make_dag("shown")).go()
    said += capfd.readouterr().out
    with create_session() as session:
        (row,) = session.scalars(
            select(RenderedTaskInstanceFields).where(
                RenderedTaskInstanceFields.run_id == run.run_id
            )
        ).all()
        fields = dict(row.rendered_fields)

    assert {"to": "2 numbers", "text": "14 characters", "sender": ""} == fields
    assert not any(word in said + run.stored() for word in ("Quokka", "61234567", "12 34 56"))


def test_a_mapped_text_shows_no_one_either(simulator: RunningSimulator) -> None:
    with DAG("oncall.mapped", schedule=None) as dag:
        SendSmsOperator.partial(task_id="text", text=TEXT, region="FR").expand(to=ON_CALL)

    run = Run.start(dag).go()
    with create_session() as session:
        rows = session.scalars(
            select(RenderedTaskInstanceFields).where(
                RenderedTaskInstanceFields.run_id == run.run_id
            )
        ).all()
        fields = [dict(row.rendered_fields) for row in rows]

    assert "success" == run.state
    assert EACH_ONCE == texts(simulator)
    assert [{"to": "1 numbers", "text": "14 characters", "sender": ""}] * 2 == fields


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"to": [f"+3361234{n:04d}" for n in range(101)]},
            ["101 numbers; more than 100 are a campaign"],
        ),
        ({"to": []}, ["to: give at least one number"]),
        ({"to": ["+33612345671", "12", "nobody"]}, ["{2: ", "3: "]),
        ({"text": "  "}, ["text: is empty"]),
        ({"to": [], "text": ""}, ["to: give at least one number", "text: is empty"]),
        ({"text": "x" * 2000}, ["has 14 parts, the most are 5"]),
        ({"gateway_conn_id": "nowhere"}, ["there is no such connection", "conn_id='nowhere'"]),
        ({"store_conn_id": "nowhere"}, ["there is no connection to the store"]),
    ],
    ids=["too many", "nobody", "bad ones", "empty", "both", "long", "no gateway", "no store"],
)
def test_what_cannot_be_sent_fails_at_once_with_every_problem(
    fields: dict[str, Any],
    words: list[str],
    simulator: RunningSimulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = Run.start(make_dag("wrong", retries=2, **fields)).go()
    said = capfd.readouterr().out

    assert ("failed", 1) == (run.state, run.tries("text"))
    assert [] == [word for word in words if word not in said]
    assert "61234" not in said
    assert [] == simulator.messages()


def test_a_store_that_does_not_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMSFLOW_STORE", GONE)
    run = Run.start(make_dag("gone", retries=1)).step_until("text")

    assert "up_for_retry" == run.states["text"]


def test_it_renders_outside_a_run_too() -> None:
    operator = SendSmsOperator(task_id="text", to="+33612345671", text="{{ word }}")
    operator.render_template_fields(cast("Any", {"word": "Hello"}))

    assert ("1 numbers", "5 characters") == (operator.to, operator.text)


# The notifier


def fail() -> None:
    """What the task of this DAG is about."""
    raise ArithmeticError("the figures do not add up")


def notifier(**fields: Any) -> SmsNotifier:
    settings: dict[str, Any] = {"to": ON_CALL, "text": TEXT, "region": "FR", **fields}
    return SmsNotifier(**settings)


def failing_dag(name: str, callbacks: Sequence[Any], **fields: Any) -> DAG:
    with DAG(f"oncall.{name}", schedule=None) as dag:
        PythonOperator(
            task_id="add", python_callable=fail, on_failure_callback=list(callbacks), **fields
        )
    return dag


def test_a_task_that_fails_texts_whoever_is_on_call(
    simulator: RunningSimulator, airflow_store: Store
) -> None:
    dag = failing_dag("fails", [notifier(text="{{ ti.task_id }} of {{ dag.dag_id }} failed")])
    run = Run.start(dag).go()

    assert "failed" == run.state
    assert {"add of oncall.fails failed"} == {one["text"] for one in simulator.messages()}
    assert 2 == len(simulator.messages())
    delivery = latest(airflow_store)
    assert (run.run_id, "add.notification.1") == (delivery.origin.run_id, delivery.origin.task_id)
    assert "maria" == delivery.created_by


def test_each_failure_is_told_once_and_a_new_one_again(simulator: RunningSimulator) -> None:
    run = Run.start(failing_dag("fails_again", [notifier()])).go()
    run.clear().go()

    assert 2 == run.tries("add")
    assert sorted(EACH_ONCE * 2) == texts(simulator)


def test_two_notifiers_of_one_task_have_names(simulator: RunningSimulator) -> None:
    both = [notifier(), notifier(name="boss", to=["+33612345679"]), notifier()]
    Run.start(failing_dag("fails_twice", both)).go()

    assert [*EACH_ONCE, ("+33612345679", TEXT)] == texts(simulator)


@pytest.mark.parametrize(
    "wrong",
    [
        {"store_conn_id": "gone"},
        {"store_conn_id": "nowhere"},
        {"gateway_conn_id": "nowhere"},
        {"to": "12"},
        {"to": []},
        {"text": "{{ no.such.thing }}"},
    ],
    ids=str,
)
def test_a_notifier_never_hides_the_error_of_the_task(
    wrong: dict[str, Any],
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GONE", GONE)
    run = Run.start(failing_dag("broken_notifier", [notifier(**wrong)])).go()
    said = capfd.readouterr().out

    assert ("failed", "failed") == (run.state, run.states["add"])
    assert "the figures do not add up" in said
    assert "Failed to run task callback" in said
    assert "61234" not in said
    assert [] == simulator.messages()


class Contexts(BaseOperator):
    """Calls a notifier with what is left of its context, as callbacks of other places do."""

    def __init__(self, *, calls: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls = calls

    def execute(self, context: Any) -> None:
        for call in self.calls:
            call(context)


def test_the_callback_of_a_dag_texts_at_each_failure_though_it_names_no_task(
    simulator: RunningSimulator, airflow_store: Store
) -> None:
    def call(context: Any) -> None:
        minimal = {"dag": context["dag"], "run_id": context["run_id"], "reason": "task_failure"}
        notifier()(dict(minimal))
        notifier()(dict(minimal))

    with DAG("oncall.whole_dag", schedule=None) as dag:
        Contexts(task_id="call", calls=[call])
    run = Run.start(dag).go()

    assert "success" == run.state
    assert sorted(EACH_ONCE * 2) == texts(simulator)
    delivery = latest(airflow_store)
    assert ("oncall.whole_dag", run.run_id) == (delivery.origin.dag_id, delivery.origin.run_id)
    assert delivery.origin.task_id.startswith("notification.")
    assert "dag:oncall.whole_dag" == delivery.created_by


def test_the_callback_of_a_dag_is_not_taken_for_that_of_its_last_task(
    simulator: RunningSimulator,
) -> None:
    with DAG("oncall.both", schedule=None) as dag:
        Contexts(
            task_id="call",
            calls=[
                lambda context: notifier()(dict(context)),
                lambda context: notifier()({**context, "reason": "task_failure"}),
            ],
        )
    Run.start(dag).go()

    assert sorted(EACH_ONCE * 2) == texts(simulator)


def test_an_empty_context_is_enough(simulator: RunningSimulator) -> None:
    with DAG("oncall.deadline", schedule=None) as dag:
        Contexts(task_id="call", calls=[lambda _: notifier()({}), lambda _: notifier()({})])
    run = Run.start(dag).go()

    assert "success" == run.state
    assert sorted(EACH_ONCE * 2) == texts(simulator)


def test_it_may_be_awaited_where_deadlines_are_watched(simulator: RunningSimulator) -> None:
    async def wait(context: Any) -> None:
        one = notifier()
        one.context = context
        await one

    with DAG("oncall.awaited", schedule=None) as dag:
        Contexts(task_id="call", calls=[lambda context: asyncio.run(wait({"dag": context["dag"]}))])
    run = Run.start(dag).go()

    assert "success" == run.state
    assert EACH_ONCE == texts(simulator)


def test_more_than_a_hundred_numbers_are_refused_by_the_notifier_too() -> None:
    many = notifier(to=[f"+3361234{n:04d}" for n in range(101)])
    context: Any = {"ti": SimpleNamespace(task_id="t", dag_id="d", run_id="r", try_number=1)}
    context["ti"].map_index = -1

    with pytest.raises(ConfigError, match="the text cannot be sent") as caught:
        many.notify(context)

    assert ["to: 101 numbers; more than 100 are a campaign"] == caught.value.facts["problems"]
