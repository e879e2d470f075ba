"""The main job on real parts: customers in a database, texts out of a real gateway, once each."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import Any

import psutil
import pytest

from smsflow_provider.core.store.receipts import apply_all_receipts
from tests.kannel_harness import ReceivedSms
from tests.system.conftest import Run, System

pytestmark = pytest.mark.timeout(600)

Sms = tuple[str, str, int]


def _prepared(run: Run) -> Counter[Sms]:
    """Every prepared message of the delivery: number, text, parts."""
    with run.system.store.transaction() as connection:
        rows = connection.execute(
            "SELECT m.phone, m.body, m.parts FROM smsflow_messages m"
            " JOIN smsflow_deliveries d ON d.preparation = m.preparation WHERE d.id = %s",
            (run.delivery_id,),
        ).fetchall()
    return Counter((str(row["phone"]), row["body"], row["parts"]) for row in rows)


def _received(messages: list[ReceivedSms]) -> Counter[Sms]:
    return Counter((one.to.lstrip("+"), one.text, one.parts) for one in messages)


def test_five_thousand_texts_arrive_once_byte_for_byte_and_are_reported(system: System) -> None:
    system.kannel.forget()
    run = system.start("system.kannel", people="many")
    run.wait_for_review()
    prepared = _prepared(run)

    assert 5000 == sum(prepared.values())
    assert [] == system.kannel.messages()

    run.answer("Send")
    states = run.wait(timeout_s=400)
    received = _received(system.kannel.wait_for(5000, timeout_s=60))
    apply_all_receipts(system.store)
    report = run.report()

    assert prepared == received
    assert {"success"} == set(states.values())
    assert (5000, 5000, 0) == (report["accepted"], report["delivered"], report["unknown"])
    assert report["parts"] == sum(parts * n for (_, _, parts), n in received.items())
    assert {1, 2} <= {parts for _, _, parts in received}


def _task_pids(system: System) -> list[int]:
    """Find the processes that hold a lease: those at the other end of the store's connections."""
    with system.store.transaction() as connection:
        rows = connection.execute(
            "SELECT client_port FROM pg_stat_activity WHERE application_name = 'smsflow'"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    ports = {row["client_port"] for row in rows}
    scheduler = psutil.Process(system.airflow.pid("scheduler"))
    return [
        process.pid
        for process in scheduler.children(recursive=True)
        if any(conn.laddr.port in ports for conn in process.net_connections())
    ]


def test_of_four_workers_one_is_killed_and_nothing_arrives_twice(system: System) -> None:
    system.kannel.forget()
    run = system.start("system.shared", people="many")
    run.answer("Send")
    system.kannel.wait_until(
        lambda: len(system.kannel.messages()) >= 2000,
        problem="nothing was sent",
        timeout_s=120,
        pause_s=0.2,
    )

    os.kill(_task_pids(system)[0], signal.SIGKILL)
    states = run.wait(timeout_s=400)
    prepared = _prepared(run)
    time.sleep(2)
    received = _received(system.kannel.messages())
    apply_all_receipts(system.store)
    report = run.report()

    assert {"success"} == set(states.values())
    assert {1} == set(received.values()), "a text arrived twice"
    assert not received - prepared
    # What was in flight is unknown unless its receipt came back; all the rest arrived.
    missing = sum(prepared.values()) - sum(received.values())
    assert missing <= report["unknown"] <= 500
    assert 5000 == report["accepted"] + report["unknown"]
    tries = {one["map_index"]: one["try_number"] for one in _send_tasks(run)}
    assert {0, 1, 2, 3} == set(tries)
    assert 2 in tries.values()
    _check_told(run, report, min(tries, key=tries.__getitem__))


def _check_told(run: Run, report: dict[str, Any], map_index: int) -> None:
    """Counts stand in a worker's log and in the event of the delivery's asset; no people do."""
    log = run.client.task_log(run.dag_id, run.run_id, "sms.send", map_index=map_index)
    assert f"of {report['to_deliver']:,} (accepted" in log
    prepared = _prepared(run)
    assert not [text for _, text, _ in prepared if len(text) > 20 and text in log]
    assert not [to for to, _, _ in prepared if to[2:] in log]
    events = run.client.call("GET", "/api/v2/assets/events", order_by="-timestamp", limit=1)
    (event,) = events["asset_events"]
    assert f"smsflow://delivery/{run.dag_id}/sms" == event["uri"]
    assert (report["delivery"], report["to_deliver"]) == (
        event["extra"]["delivery"],
        event["extra"]["to_deliver"],
    )


def _send_tasks(run: Run) -> list[dict[str, Any]]:
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
    found = run.client.call("GET", path, limit=100)["task_instances"]
    return [one for one in found if one["task_id"] == "sms.send"]


def test_a_send_task_told_to_end_leaves_nothing_in_doubt(system: System) -> None:
    """SIGTERM is what Airflow sends to a task that somebody clears or marks."""
    system.kannel.forget()
    run = system.start("system.kannel", people="many")
    run.answer("Send")
    system.kannel.wait_until(
        lambda: len(system.kannel.messages()) >= 1000,
        problem="nothing was sent",
        timeout_s=120,
        pause_s=0.2,
    )
    (pid,) = _task_pids(system)

    os.kill(pid, signal.SIGTERM)
    states = run.wait(timeout_s=400)
    received = _received(system.kannel.wait_for(5000, timeout_s=60))
    apply_all_receipts(system.store)

    assert {"success"} == set(states.values())
    assert 2 <= run.client.call("GET", _send_task(run))["try_number"]
    assert _prepared(run) == received
    assert (5000, 0) == (run.report()["accepted"], run.report()["unknown"])


def _send_task(run: Run) -> str:
    return f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/sms.send"
