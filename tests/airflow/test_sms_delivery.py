"""SmsDeliveryOperator: four tasks that stay together, whatever a DAG's defaults say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG, TaskGroup, task_group
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider import (
    BuildAudienceOperator,
    ManualApprovalSensor,
    SendDeliveryOperator,
    SmsDeliveryOperator,
)
from smsflow_provider.compiler.inspect import graph_of_dag
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.workflow.graph import check_graph
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, reject, send

RULES = {
    "prepare": "all_success",
    "review_and_send": "all_success",
    "send": "all_success",
    "report": "all_done",
}
TRIGGER_RULES = (
    *("all_done", "always", "one_success", "one_done", "none_failed", "none_skipped"),
    *("all_failed", "one_failed", "all_skipped", "all_done_min_one_success"),
)


def make_group(*, default_args: dict[str, Any] | None = None, **settings: Any) -> DAG:
    with DAG("shop.group", schedule=None, default_args=default_args or {}) as dag:
        people = BuildAudienceOperator(task_id="people", file="people.csv")
        fields: dict[str, Any] = {"audience": people.output, "template": "sale", **settings}
        SmsDeliveryOperator("sms", **fields)
    return dag


def task(dag: DAG, name: str) -> Any:
    return dag.get_task(f"sms.{name}")


def rules(dag: DAG) -> dict[str, str]:
    return {name: str(task(dag, name).trigger_rule.value) for name in RULES}


def test_each_task_has_its_trigger_rule() -> None:
    assert RULES == rules(make_group())


@pytest.mark.parametrize("rule", TRIGGER_RULES)
def test_default_args_do_not_change_a_trigger_rule(rule: str) -> None:
    dag = make_group(default_args={"trigger_rule": rule})

    assert RULES == rules(dag)
    assert [] == check_graph(graph_of_dag(dag))


def test_default_args_of_the_group_around_it_do_not_either() -> None:
    defaults: Any = {"trigger_rule": "always", "retries": 0}
    with (
        DAG("shop.group", schedule=None),
        TaskGroup("outer", default_args=defaults),
    ):
        SmsDeliveryOperator("sms", audience="a", template="sale")
        review = ManualApprovalSensor(task_id="review", delivery="d")
        leave = SendDeliveryOperator(task_id="leave", delivery="d")

    assert ["all_success", "all_success"] == [review.trigger_rule, leave.trigger_rule]
    assert [3, 3] == [review.retries, leave.retries]


def test_default_args_given_to_the_delivery_itself_do_not_either() -> None:
    assert RULES == rules(make_group(default_args={"trigger_rule": "always"}))


DEFAULTS = st.fixed_dictionaries(
    {},
    optional={
        "trigger_rule": st.sampled_from(TRIGGER_RULES),
        "retries": st.integers(0, 9),
        "soft_fail": st.booleans(),
        "execution_timeout": st.just(timedelta(seconds=1)),
        "depends_on_past": st.booleans(),
        "ignore_first_depends_on_past": st.booleans(),
        "wait_for_downstream": st.booleans(),
        "weight_rule": st.sampled_from(["absolute", "upstream", "downstream"]),
        "priority_weight": st.integers(1, 9),
        "pool": st.just("sms"),
        "do_xcom_push": st.booleans(),
        "mode": st.sampled_from(["poke", "reschedule"]),
        "on_reject": st.just("fail"),
        "on_expiry": st.just("skip"),
        "delivery": st.just("somebody-elses"),
        "dry_run": st.just(True),
        "delivery_task_id": st.just("other"),
    },
)


@given(defaults=DEFAULTS)
@settings(max_examples=60, deadline=None)
def test_no_default_args_loosen_the_group(defaults: dict[str, Any]) -> None:
    dag = make_group(default_args=defaults)

    assert [] == check_graph(graph_of_dag(dag))
    assert RULES == rules(dag)
    review, leave = task(dag, "review_and_send"), task(dag, "send")
    assert (3, 3) == (review.retries, leave.retries)
    assert (None, False) == (review.execution_timeout, review.soft_fail)
    assert ("skip", "fail") == (review.on_reject, review.on_expiry)
    assert {"sms.prepare"} == {one.operator.task_id for one in (review.delivery, leave.delivery)}
    assert ("sms", False) == (
        task(dag, "prepare").delivery_task_id,
        task(dag, "prepare").is_dry_run,
    )


def test_default_args_all_done_do_not_let_a_rejected_delivery_leave(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    defaults = {"trigger_rule": "all_done", "retries": 0, "do_xcom_push": False}
    run = Run.start(make_dag(dag={"default_args": {**defaults, "do_xcom_push": True}})).go(reject)

    assert ["skipped", "success"] == [run.states["sms.send"], run.states["sms.report"]]
    assert [] == simulator.messages()


def test_a_failed_audience_lets_nothing_of_the_delivery_start(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(audience="no reference", dag={"default_args": {"retries": 0}}))
    run.go()

    assert "failed" == run.state
    assert ["failed", "upstream_failed", "upstream_failed", "failed"] == [
        run.states[f"sms.{name}"] for name in RULES
    ]
    assert [] == simulator.messages()


def test_a_delivery_after_a_skipped_audience_is_skipped_and_the_run_is_not_failed(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag()).mark("people", "skipped").go()

    assert "success" == run.state
    assert {"skipped"} == {run.states[f"sms.{name}"] for name in RULES}
    assert [] == simulator.messages()


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("trigger_rule", "all_done"),
        ("task_group", None),
        ("outlets", []),
        ("map_index_template", "{{ x }}"),
        ("task_display_name", "x"),
    ],
)
def test_arguments_that_would_hold_the_group_apart_are_refused(argument: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"SmsDeliveryOperator does not take {argument}"):
        make_group(**{argument: value})


def test_all_refused_arguments_are_named_at_once() -> None:
    with pytest.raises(TypeError, match="does not take outlets, trigger_rule"):
        make_group(trigger_rule="all_done", outlets=[])


def test_common_arguments_reach_the_tasks_they_are_for() -> None:
    dag = make_group(
        retries=7,
        retry_delay=timedelta(minutes=1),
        pool="sms",
        queue="outbound",
        priority_weight=5,
        execution_timeout=timedelta(hours=1),
        owner="marketing",
        depends_on_past=True,
    )
    working = [task(dag, name) for name in ("prepare", "send", "report")]
    review = task(dag, "review_and_send")

    assert {7} == {each.retries for each in working}
    assert {timedelta(hours=1)} == {each.execution_timeout for each in working}
    assert (3, timedelta(seconds=5), None) == (
        review.retries,
        review.retry_delay,
        review.execution_timeout,
    )
    assert {("sms", "outbound", 5, "marketing", True)} == {
        (each.pool, each.queue, each.priority_weight, each.owner, each.depends_on_past)
        for each in (*working, review)
    }


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="retrys"):
        make_group(retrys=3)


def test_a_wrong_policy_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(ConfigError, match="say 'skip' or 'fail'") as caught:
        make_group(on_reject="Skip", on_expiry="fial")

    assert {"on_reject": "Skip", "on_expiry": "fial"} == caught.value.facts


@pytest.mark.parametrize("way", ["partial", "expand", "expand_kwargs"])
def test_a_delivery_is_not_mapped(way: str) -> None:
    with pytest.raises(TypeError, match="one approval would stand for several deliveries"):
        getattr(SmsDeliveryOperator, way)(template="sale")


def test_a_delivery_in_a_mapped_group_is_refused_when_the_dag_is_parsed() -> None:
    @task_group
    def city(name: str) -> None:
        SmsDeliveryOperator("sms", audience=name, template="sale")

    with (
        DAG("shop.cities", schedule=None),
        pytest.raises(TypeError, match="Make one delivery of the whole audience"),
    ):
        city.expand(name=["Lyon", "Paris"])


def test_a_delivery_takes_its_dag_as_an_argument_too() -> None:
    dag = DAG("shop.explicit", schedule=None)
    SmsDeliveryOperator("sms", audience="a", template="sale", dag=dag)

    assert {f"sms.{name}" for name in RULES} == set(dag.task_ids)


def test_two_deliveries_of_one_dag_are_two_deliveries(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    dag = make_dag()
    with dag, TaskGroup("later"):
        people = dag.get_task("people")
        SmsDeliveryOperator("sms", audience=people.output, template="sale")
    run = Run.start(dag).go(
        lambda run, _: send(run, "sms.review_and_send"),
        lambda run, _: send(run, "later.sms.review_and_send"),
    )

    assert "success" == run.state
    assert run.xcom("sms.prepare", "delivery") != run.xcom("later.sms.prepare", "delivery")
    assert 4 == len(simulator.messages())


def test_its_output_is_the_reference_of_the_report() -> None:
    with DAG("shop.output", schedule=None):
        sms = SmsDeliveryOperator("sms", audience="a", template="sale")

    assert ("sms.report", "return_value") == (sms.output.operator.task_id, sms.output.key)


def test_nothing_is_pushed_by_default_and_the_delivery_is_sent_all_the_same(
    make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    run = Run.start(make_dag(do_xcom_push=False)).go(send)

    assert "success" == run.state
    assert 2 == len(simulator.messages())
    assert "finished" == run.xcom("sms.report")["state"]
