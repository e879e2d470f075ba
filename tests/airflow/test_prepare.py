"""The prepare task: what stops it says what to do, and it sends nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.delivery.leaving import leaving_of
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag, gateway_connection
from tests.airflow.running import Run, send

PREPARE = "sms.prepare"


def test_a_preparation_hands_on_ids_and_counts(make_dag: MakeDag, airflow_store: Store) -> None:
    run = Run.start(make_dag()).go()
    delivery = find_delivery(airflow_store, run.xcom(PREPARE, "delivery"))

    assert {
        "delivery": delivery.id,
        "state": "ready",
        "targeted": 4,
        "excluded": 2,
        "to_deliver": 2,
        "parts": 2,
    } == run.xcom(PREPARE)
    assert {"invalid_number": 1, "duplicate": 1} == delivery.figures["excluded"]
    assert ("Spring sale", "sms_gateway") == (delivery.label, delivery.gateway)
    assert "maria" == delivery.created_by
    assert (run.dag.dag_id, run.run_id, "sms") == (
        delivery.origin.dag_id,
        delivery.origin.run_id,
        delivery.origin.task_id,
    )


def test_a_preparation_alone_sends_nothing(make_dag: MakeDag, simulator: RunningSimulator) -> None:
    run = Run.start(make_dag()).go()
    run.clear(PREPARE).go_only(PREPARE)
    run.clear(PREPARE).go_only(PREPARE)

    assert ("success", 3) == (run.states[PREPARE], run.tries(PREPARE))
    assert [] == simulator.messages()


def test_what_the_dag_says_wins_over_the_template(
    make_dag: MakeDag,
    simulator: RunningSimulator,
    airflow_store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", gateway_connection(simulator.url))
    dag = make_dag(label="Sale of {{ ds }}", gateway_conn_id="other", region="DE")
    run = Run.start(dag).go()
    delivery = find_delivery(airflow_store, run.xcom(PREPARE, "delivery"))

    assert "other" == delivery.gateway
    assert delivery.label.startswith("Sale of 20")
    assert "DE" == delivery.settings["region"]


def said(run: Run, capfd: pytest.CaptureFixture[str]) -> str:
    """What the log says of a run in which the preparation failed for good."""
    assert ("failed", "failed", 1) == (run.state, run.states[PREPARE], run.tries(PREPARE))
    assert "upstream_failed" == run.states["sms.send"]
    out = capfd.readouterr().out
    assert "AirflowFailException" in out
    return out


def test_an_unknown_template_names_the_near_one(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str]
) -> None:
    out = said(Run.start(make_dag(template="slae", retries=2)).go(), capfd)

    assert "slae" in out
    assert "'sale'" in out


def test_bad_front_matter_names_every_problem(
    make_dag: MakeDag, templates: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (templates / "sale.sms.j2").write_text("---\nsendr: ACME\nmax_parts: many\n---\nHello\n")
    out = said(Run.start(make_dag(retries=2)).go(), capfd)

    assert "sendr" in out
    assert "sender" in out
    assert "max_parts" in out


def test_a_missing_gateway_connection_is_named(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str]
) -> None:
    out = said(Run.start(make_dag(gateway_conn_id="sms_gatway", retries=2)).go(), capfd)

    assert "there is no such connection: add it, with the type of a gateway" in out
    assert "conn_id='sms_gatway'" in out


def failing_over(templates: Path, gateway: str) -> None:
    front = f"sending: {{failover: {{gateway: {gateway}}}}}"
    (templates / "sale.sms.j2").write_text(
        f"---\nlabel: Sale\nclass: transactional\n{front}\n---\nHello\n"
    )


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        ("the_second", ["there is no such connection", "conn_id='the_second'"]),
        ("crm", ["not a gateway", "conn_id='crm'"]),
        ("sms_gateway", ["sending.failover names sms_gateway", "own gateway"]),
    ],
    ids=["there is none", "it is none", "it is the first one"],
)
def test_a_second_gateway_that_cannot_be_used_stops_the_preparation(
    gateway: str,
    words: list[str],
    make_dag: MakeDag,
    templates: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "http", "host": "h"}))
    failing_over(templates, gateway)

    out = said(Run.start(make_dag(retries=2)).go(), capfd)

    assert [] == [word for word in words if word not in out]


def test_the_review_knows_the_pace_of_both_gateways_and_the_workers(
    make_dag: MakeDag, templates: Path, airflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = {"conn_type": "sms_simulator", "host": "h", "extra": {"parts_per_s": 5}}
    monkeypatch.setenv("AIRFLOW_CONN_SECOND", json.dumps(second))
    failing_over(templates, "second")

    run = Run.start(make_dag(workers=3)).go()
    leaving = leaving_of(find_delivery(airflow_store, run.xcom(PREPARE, "delivery")))

    assert [("sms_gateway", 0), ("second", 5)] == [
        (one["conn_id"], one["parts_per_s"]) for one in leaving["gateways"]
    ]
    assert (3, "second") == (leaving["workers"], leaving["failover"]["gateway"])


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"conn_type": "http", "host": "h"}, ["not a gateway", "conn_id='wrong'", "sms_kannel"]),
        ({"conn_type": "sms_simulatr", "host": "h"}, ["near=['sms_simulator']"]),
        ({"conn_type": "sms_simulator"}, ["conn_id='wrong'", "host"]),
        (
            {"conn_type": "sms_simulator", "host": "h", "extra": {"max_conections": 3}},
            ["max_conections", "max_connections", "conn_id='wrong'"],
        ),
    ],
    ids=["another type", "a typing error", "no host", "an unknown field"],
)
def test_a_gateway_connection_that_is_none_is_named(
    connection: dict[str, Any],
    words: list[str],
    make_dag: MakeDag,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", json.dumps(connection))
    dag = make_dag(dag_id="shop.wrong_gateway", gateway_conn_id="wrong", retries=2)
    out = said(Run.start(dag).go(), capfd)

    assert [] == [word for word in words if word not in out]


def test_a_store_that_does_not_answer_is_tried_again(
    make_dag: MakeDag, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = {"conn_type": "smsflow_store", "host": "127.0.0.1", "port": 9, "schema": "smsflow"}
    monkeypatch.setenv("AIRFLOW_CONN_GONE", json.dumps(gone))
    run = Run.start(make_dag(store_conn_id="gone", retries=2)).step_until(PREPARE)

    assert ("up_for_retry", 1) == (run.states[PREPARE], run.tries(PREPARE))
    out = capfd.readouterr().out
    assert "StoreUnreachableError" in out
    assert "the store does not answer: check the connection smsflow_store" in out


@pytest.mark.parametrize(
    ("connection", "word"),
    [
        (None, "there is no connection to the store: add one of type smsflow_store"),
        ({"conn_type": "smsflow_store", "host": "h"}, "schema (database)"),
        (
            {"conn_type": "smsflow_store", "host": "h", "schema": "s", "extra": {"ssl": "on"}},
            "names=['ssl']",
        ),
    ],
    ids=["none", "no database", "an unknown field"],
)
def test_a_store_connection_that_is_none_is_named_at_once(
    connection: dict[str, Any] | None,
    word: str,
    make_dag: MakeDag,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_WRONG_STORE", json.dumps(connection))
    dag = make_dag(dag_id="shop.wrong_store", store_conn_id="wrong_store", retries=2)
    out = said(Run.start(dag).go(), capfd)

    assert word in out
    assert "wrong_store" in out


def test_an_audience_that_is_gone_says_which_task_to_run_again(
    make_dag: MakeDag, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run.start(make_dag(retries=2)).step_until("people")
    (audience,) = (tmp_path / "artifacts").rglob("*.parquet")
    audience.unlink()
    out = said(run.go(), capfd)

    assert "run the task that builds it again" in out


def test_an_audience_that_is_no_reference_is_refused(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str]
) -> None:
    out = said(Run.start(make_dag(audience={"uri": "x", "cuont": 1}, retries=2)).go(), capfd)

    assert "count is missing" in out
    assert "did you mean 'count'" in out


def test_a_field_nobody_has_fails_the_preparation_and_is_named(
    make_dag: MakeDag, templates: Path, airflow_store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    (templates / "sale.sms.j2").write_text(
        "---\nsender: ACME\ngateway: sms_gateway\nregion: FR\n---\nHi {{ firstname }}\n"
    )
    run = Run.start(make_dag(retries=2)).go()
    out = said(run, capfd)
    delivery = find_delivery(airflow_store, run.xcom(PREPARE, "delivery"))

    assert "Nothing to review, there are errors" in out
    assert "firstname" in out
    assert DeliveryState.PREPARATION_FAILED is delivery.state


@pytest.mark.parametrize("how", ["run", "operator"])
def test_a_dry_run_walks_the_whole_path_and_hands_nothing_over(
    how: str, make_dag: MakeDag, simulator: RunningSimulator
) -> None:
    dag = make_dag(dag_id=f"shop.dry_{how}", dry_run=how == "operator")
    run = Run.start(dag, conf={"dry_run": True} if how == "run" else {}).go(send)

    assert "success" == run.state
    report = run.xcom("sms.report")
    assert (True, "finished", 2, 0) == (
        report["dry_run"],
        report["state"],
        report["cancelled"],
        report["accepted"],
    )
    assert [] == simulator.messages()


def test_a_dry_run_that_is_neither_yes_nor_no_fails(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str]
) -> None:
    out = said(Run.start(make_dag(), conf={"dry_run": "mostly"}).go(), capfd)

    assert "a run parameter must be true or false" in out
    assert "parameter='dry_run'" in out


def test_numbers_outside_the_allow_list_are_not_texted(
    make_dag: MakeDag, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ALLOWED_NUMBERS", "+33612345672")
    run = Run.start(make_dag()).go(send)

    assert "success" == run.state
    assert ["+33612345672"] == [one["to"] for one in simulator.messages()]


def test_an_allow_list_that_shrinks_after_the_approval_holds_at_the_send(
    make_dag: MakeDag, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start(make_dag()).go()
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ALLOWED_NUMBERS", "none")
    run.go(send)

    assert (2, 0) == (run.xcom("sms.report")["cancelled"], run.xcom("sms.report")["accepted"])
    assert [] == simulator.messages()


def test_a_preparation_logs_no_one_and_no_text(
    make_dag: MakeDag, capfd: pytest.CaptureFixture[str]
) -> None:
    Run.start(make_dag()).go()
    out = capfd.readouterr().out

    assert "2 of 4 recipients get a text" in out
    assert not any(word in out for word in ("Zephyrine", "Xylophone", "612345671", "12 34 56 72"))
