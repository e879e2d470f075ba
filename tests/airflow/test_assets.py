"""An asset event when a delivery was sent, and only then."""

from __future__ import annotations

from typing import Any

from airflow.models.asset import AssetEvent, AssetModel
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import select

from smsflow_provider import SmsDeliveryOperator, delivery_asset
from smsflow_provider.hooks.assets import TOLD
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import DIGITS, WORDS, MakeDag
from tests.airflow.running import Run, register, reject, send


def events_of(dag: DAG) -> list[dict[str, Any]]:
    """What Airflow keeps of the events of a delivery's asset."""
    with create_session() as session:
        rows = session.scalars(
            select(AssetEvent)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .where(AssetModel.uri == delivery_asset(dag.dag_id, "sms").uri)
        )
        return [dict(row.extra) for row in rows]


def test_a_delivery_that_was_sent_gives_one_event_with_its_counts(
    make_dag: MakeDag,
    simulator: RunningSimulator,  # noqa: ARG001  takes the messages
) -> None:
    dag = make_dag()
    run = Run.start(dag).go(send)

    (extra,) = events_of(dag)

    assert set(TOLD) == set(extra)
    assert (dag.dag_id, run.run_id) == (extra["dag_id"], extra["run_id"])
    assert (4, 2, 2, 0) == tuple(
        extra[name] for name in ("targeted", "to_deliver", "accepted", "unknown")
    )
    assert not [word for word in (*DIGITS, *WORDS) if word in repr(extra)]


def test_a_rejected_delivery_gives_no_event(make_dag: MakeDag) -> None:
    dag = make_dag()
    run = Run.start(dag).go(reject)

    assert "success" == run.states["sms.report"]
    assert [] == events_of(dag)


def test_a_dry_run_gives_no_event(make_dag: MakeDag) -> None:
    dag = make_dag(dry_run=True)
    run = Run.start(dag).go(send)

    assert "success" == run.state
    assert [] == events_of(dag)


def test_several_workers_give_one_event(
    make_dag: MakeDag,
    simulator: RunningSimulator,  # noqa: ARG001  takes the messages
) -> None:
    dag = make_dag(workers=2)
    Run.start(dag).go(send)

    assert 1 == len(events_of(dag))


def test_a_dag_can_wait_for_a_delivery(
    make_dag: MakeDag,
    simulator: RunningSimulator,  # noqa: ARG001  takes the messages
) -> None:
    dag = make_dag()
    with DAG("shop.after_it", schedule=[delivery_asset(dag.dag_id, "sms")]) as after:
        pass
    register(after)
    Run.start(dag).go(send)

    assert 1 == len(events_of(dag))


def test_the_activity_in_a_group_is_named_with_it() -> None:
    with DAG("shop.nested", schedule=None) as dag:
        SmsDeliveryOperator("sms", audience="a", template="sale")

    (alias,) = dag.get_task("sms.report").outlets
    assert delivery_asset("shop.nested", "sms").uri == alias.name
