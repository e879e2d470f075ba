"""Several send tasks share one delivery; what counts in the end is the delivery."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.models.taskinstance import TaskInstance
from airflow.sdk import DAG
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from smsflow_provider import SendDeliveryOperator, SmsDeliveryOperator
from smsflow_provider.compiler.compile import compile_workflow
from smsflow_provider.compiler.inspect import graph_of_dag
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.workflow.graph import check_graph
from smsflow_provider.core.workflow.spec import Workflow
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, reject, send


def make_group(*, default_args: dict[str, Any] | None = None, **fields: Any) -> DAG:
    with DAG("shop.workers", schedule=None, default_args=default_args or {}) as dag:
        SmsDeliveryOperator("sms", audience="a", template="sale", **fields)
    return dag


def sends_of(run: Run) -> list[str]:
    """The states of all send tasks of a run."""
    with create_session() as session:
        rows = session.scalars(
            select(TaskInstance).where(
                TaskInstance.run_id == run.run_id, TaskInstance.task_id == "sms.send"
            )
        )
        return sorted(str(row.state) for row in rows)


def fail_one(run: Run, map_index: int) -> None:
    """Mark one worker as failed, as Airflow does with one that it has lost."""
    with create_session() as session:
        task = session.scalar(
            select(TaskInstance).where(
                TaskInstance.run_id == run.run_id,
                TaskInstance.task_id == "sms.send",
                TaskInstance.map_index == map_index,
            )
        )
        assert task is not None
        task.state = TaskInstanceState.FAILED


def test_three_workers_send_one_delivery_once(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(workers=3)).go(send)

    assert "success" == run.state
    assert ["success"] * 3 == sends_of(run)
    assert 2 == len(simulator.messages())
    assert "finished" == run.xcom("sms.report")["state"]


def test_a_rejected_delivery_skips_every_worker(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(workers=2)).go(reject)

    assert {"skipped"} == set(sends_of(run))
    assert ("success", "success") == (run.state, run.states["sms.report"])
    assert [] == simulator.messages()


def test_a_worker_that_fails_leaves_a_finished_delivery_sent(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    """The others send its share: the run says what is true of the delivery."""
    run = Run.start(make_dag(workers=2)).go()
    send(run, "sms.review_and_send")
    run.step()
    fail_one(run, 0)
    run.go()

    assert ["failed", "success"] == sends_of(run)
    assert ("success", "success") == (run.state, run.states["sms.report"])
    assert 2 == len(simulator.messages())


def test_a_delivery_that_no_worker_could_send_fails_the_run(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(workers=2)).go()
    send(run, "sms.review_and_send")
    run.step()
    fail_one(run, 0)
    fail_one(run, 1)
    run.go()

    assert ("failed", "failed") == (run.state, run.states["sms.report"])
    assert [] == simulator.messages()


def test_clearing_the_workers_of_a_finished_delivery_sends_nothing(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(workers=2)).go(send)

    run.clear("sms.send", "sms.report").go()

    assert "success" == run.state
    assert 2 == len(simulator.messages())


def test_workers_keep_the_arguments_of_their_group() -> None:
    dag = make_group(workers=4, pool="sms", queue="out", priority_weight=7)
    task: Any = dag.get_task("sms.send")

    assert ("sms", "out", 7) == (task.pool, task.queue, task.priority_weight)
    assert {"worker": [1, 2, 3, 4]} == task.expand_input.value


DEFAULTS = st.fixed_dictionaries(
    {},
    optional={
        "trigger_rule": st.sampled_from(["all_done", "always", "one_success"]),
        "retries": st.integers(0, 9),
        "delivery": st.just("somebody-elses"),
        "worker": st.just(9),
    },
)


@given(defaults=DEFAULTS, workers=st.integers(1, 16))
@settings(max_examples=30, deadline=None)
def test_no_default_args_loosen_the_workers(defaults: dict[str, Any], workers: int) -> None:
    dag = make_group(default_args=defaults, workers=workers)
    task: Any = dag.get_task("sms.send")

    assert [] == check_graph(graph_of_dag(dag))
    assert ("all_success", 3) == (task.trigger_rule, task.retries)
    assert (
        "sms.prepare"
        == (task.partial_kwargs if workers > 1 else vars(task))["delivery"].operator.task_id
    )
    (step,) = [step for step in graph_of_dag(dag) if step.task_id == "sms.send"]
    assert "sms.prepare" == step.delivery


@pytest.mark.parametrize("workers", [0, 17, -1, True])
def test_other_numbers_of_workers_are_refused_when_the_dag_is_parsed(workers: int) -> None:
    with pytest.raises(ConfigError, match="1 to 16 send workers"):
        make_group(workers=workers)


def test_a_send_that_is_mapped_over_deliveries_is_still_refused() -> None:
    with DAG("shop.many", schedule=None) as dag:
        SendDeliveryOperator.partial(task_id="send", worker=1).expand(delivery=["d1", "d2"])

    assert any("is mapped" in problem.text for problem in check_graph(graph_of_dag(dag)))


def test_a_workflow_says_how_many_workers() -> None:
    dag = compile_workflow(
        Workflow.model_validate(
            {
                "id": "shop.busy",
                "activities": {
                    "people": {"kind": "build_audience", "file": "people.csv"},
                    "sms": {
                        "kind": "sms_delivery",
                        "audience": "people",
                        "template": "sale",
                        "workers": 4,
                    },
                },
            }
        )
    )
    task: Any = dag.get_task("sms.send")

    assert [1, 2, 3, 4] == task.expand_input.value["worker"]
