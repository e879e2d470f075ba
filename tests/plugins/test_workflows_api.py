"""Workflows over REST: who sees which, their graph with counts, their plan, their parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param
from starlette.testclient import TestClient

from tests.airflow.fixtures import DIGITS, WORDS, MakeDag
from tests.airflow.running import Run, headers_of, register


def get(server: TestClient, path: str, *, user: str | None = "maria") -> Any:
    headers = headers_of(user) if user else {}
    return server.get(f"/smsflow/api/v1/workflows{path}", headers=headers)


def test_the_graph_counts_what_a_run_hands_on(make_dag: MakeDag, server: TestClient) -> None:
    dag = make_dag(dag={"params": {"city": Param(type="string", title="City")}})
    run = Run.start(dag, conf={"city": "Lyon"}).go()

    listed = get(server, "").json()["workflows"]
    shown = get(server, f"/{dag.dag_id}").json()

    (row,) = [one for one in listed if one["dag_id"] == dag.dag_id]
    assert run.run_id == row["last_run"]["run_id"]
    assert "ready" == row["last_delivery"]["state"]
    assert {"audience", "prepare", "review", "send", "report"} == set(row["activities"])
    counts = {(one["source"], one["target"]): one["count"] for one in shown["arrows"]}
    assert 4 == counts["people", "sms.prepare"]
    assert 2 == counts["sms.prepare", "sms.review_and_send"]
    assert counts["sms.review_and_send", "sms.send"] is None
    assert [0, 1, 2, 3, 4] == [one["level"] for one in shown["nodes"]]
    assert run.run_id == shown["run_id"] == shown["runs"][0]["run_id"]
    assert [1] == [len(one["deliveries"]) for one in shown["runs"]]
    city = next(one for one in shown["params"] if one["name"] == "city")
    assert ("City", True, None) == (city["rules"]["title"], city["is_required"], city["default"])
    assert [] == shown["next_runs"]
    text = get(server, f"/{dag.dag_id}").text
    assert not [one for one in (*DIGITS, *WORDS) if one in text]


def test_a_run_without_a_delivery_counts_nothing(make_dag: MakeDag, server: TestClient) -> None:
    dag = make_dag()
    run = Run.start(dag)

    shown = get(server, f"/{dag.dag_id}?run_id={run.run_id.replace('+', '%2B')}").json()

    assert run.run_id == shown["run_id"]
    assert {None} == {one["count"] for one in shown["arrows"]}


def test_a_schedule_is_planned_in_its_time_zone(make_dag: MakeDag, server: TestClient) -> None:
    weekly = CronTriggerTimetable("0 9 * * 2", timezone="Europe/Paris")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    dag = make_dag(dag_id="shop.weekly_sale", dag={"schedule": weekly, "start_date": start})
    register(dag)

    shown = get(server, "/shop.weekly_sale").json()

    assert "Europe/Paris" == shown["timezone"]
    starts = [datetime.fromisoformat(one["starts_at"]) for one in shown["next_runs"]]
    assert 10 == len(starts)
    paris = ZoneInfo("Europe/Paris")
    assert {(1, 9)} == {
        (at.astimezone(paris).weekday(), at.astimezone(paris).hour) for at in starts
    }
    assert shown["next_run"] == shown["next_runs"][0]["starts_at"]
    assert shown["may_start"]


def test_who_may_not_see_a_workflow_and_what_is_none_get_the_same_answer(
    make_dag: MakeDag, server: TestClient
) -> None:
    dag = make_dag()
    register(dag)
    with DAG("shop.not_ours", schedule=None) as other:
        EmptyOperator(task_id="nothing")
    register(other)

    assert [401, 200] == [get(server, "", user=user).status_code for user in (None, "vera")]
    assert [404, 404] == [
        get(server, path).status_code for path in ("/shop.not_ours", "/shop.no_such_dag")
    ]
    assert "shop.not_ours" not in get(server, "").text
    assert not get(server, f"/{dag.dag_id}", user="vera").json()["may_start"]
    assert 422 == get(server, f"/{dag.dag_id}?run_id=%00").status_code
