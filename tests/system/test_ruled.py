"""A campaign with rules, prices and a budget, through Airflow to Kannel; a proof before it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx
import pytest

from smsflow_provider.core.store.connection import Row
from smsflow_provider.core.store.receipts import apply_all_receipts
from tests.review_page import rows_of, tiles_of
from tests.system.conftest import Run, System

pytestmark = pytest.mark.timeout(300)

TEST_NUMBER = "33698765432"
#: Of a part to a French number from a short code, in the example prices.
PRICE = Decimal("0.0480")


def _rows(run: Run, query: str) -> list[Row]:
    with run.system.store.transaction() as connection:
        return connection.execute(
            f"SELECT x.* FROM ({query}) x JOIN smsflow_deliveries d"  # noqa: S608  ours
            " ON d.preparation = x.preparation WHERE d.id = %s".encode(),
            (run.delivery_id,),
        ).fetchall()


def _page(run: Run, delivery_id: str = "") -> str:
    answer = httpx.get(
        f"{run.system.airflow.base_url}/smsflow/deliveries/{delivery_id or run.delivery_id}",
        headers={"Authorization": f"Bearer {run.system.airflow.token('manager')}"},
        trust_env=False,
    )
    assert 200 == answer.status_code
    return answer.text


def _count(text: str) -> int:
    return int(text.replace(",", "").replace("−", ""))


@pytest.fixture(scope="module")
def run(system: System) -> Run:
    """A run that waits for its review; its proof has left already."""
    system.kannel.forget()
    run = system.start("system.ruled")
    run.wait_for_review()
    return run


def test_the_proof_left_labelled_and_nothing_else_did(run: Run) -> None:
    (received,) = run.system.kannel.wait_for(1)

    assert TEST_NUMBER == received.to.lstrip("+")
    assert received.text.startswith("PROOF #1 ")
    assert received.text.removeprefix("PROOF #1 ") in {
        row["body"] for row in _rows(run, "SELECT * FROM smsflow_messages")
    }
    assert "proof" == run.client.xcom(run.dag_id, run.run_id, "proof")["kind"]


def test_the_figures_of_the_page_add_up_and_are_those_of_the_store(run: Run) -> None:
    page, tiles = _page(run), tiles_of(_page(run))
    first, *steps, last = rows_of(page, "Who gets nothing, and why")
    left = _count(first[2])
    for _reason, count, after in steps:
        left -= abs(_count(count))
        assert left == _count(after)
    excluded = Counter(row["reason"] for row in _rows(run, "SELECT * FROM smsflow_exclusions"))
    messages = _rows(run, "SELECT * FROM smsflow_messages")

    assert 302 == _count(first[2]) == _count(tiles["Targeted"])
    assert left == _count(last[2]) == _count(tiles["To deliver"]) == len(messages)
    assert excluded == {step[0].replace(" ", "_"): _count(step[1]) for step in steps}
    assert {
        "invalid_number": 1,
        "duplicate": 1,
        "filtered": 6,
        "excluded_audience": 10,
        "control_group": excluded["control_group"],
    } == excluded
    assert 20 <= excluded["control_group"] <= 36
    assert "More than ten people are left out" in page[: page.index("Targeted")]


def test_what_it_costs_is_the_parts_times_the_price_and_is_reserved(run: Run) -> None:
    page, messages = _page(run), _rows(run, "SELECT * FROM smsflow_messages")
    parts = sum(row["parts"] for row in messages)
    cost = parts * PRICE
    with run.system.store.transaction() as connection:
        held = connection.execute(
            "SELECT r.* FROM smsflow_reservations r JOIN smsflow_deliveries d"
            " ON d.no = r.delivery_no WHERE d.id = %s",
            (run.delivery_id,),
        ).fetchall()

    assert f"{cost:,.2f} EUR" == tiles_of(page)["Cost"]
    assert [
        ["FR", str(len(messages)), str(parts), "0.0480", f"{cost:,.2f} EUR"],
        ["all", str(len(messages)), str(parts), "", f"{cost:,.2f} EUR"],
    ] == rows_of(page, "Cost by country")
    assert [(parts, cost)] == [(one["parts"], one["cost"]) for one in held]


def test_the_proof_is_on_the_page_and_in_no_figure_of_it(run: Run) -> None:
    page = _page(run)
    ((name, numbers, messages, accepted),) = rows_of(page, "Proofs sent")
    proof = run.client.xcom(run.dag_id, run.run_id, "proof")["delivery"]

    assert ("PROOF #1", "1", "1", "1") == (name, numbers, messages, accepted)
    assert 0 == run.report()["accepted"]
    assert "It is in no figure of that delivery." in _page(run, proof)


def test_exactly_those_of_the_page_get_their_text_after_send(run: Run) -> None:
    prepared = _rows(run, "SELECT * FROM smsflow_messages")
    run.answer("Send")
    states = run.wait(timeout_s=200)
    received = run.system.kannel.wait_for(len(prepared) + 1)
    apply_all_receipts(run.system.store)
    report = run.report()
    sent = Counter((one.to.lstrip("+"), one.text) for one in received)
    shown = _page(run)

    assert {"success"} == set(states.values())
    assert Counter((str(one["phone"]), one["body"]) for one in prepared) == sent - Counter(
        {key: n for key, n in sent.items() if key[0] == TEST_NUMBER}
    )
    assert {"fr", "en"} == {one["language"] for one in prepared}
    assert all("acme.example/h STOP au 36111" in one["body"] for one in prepared)
    assert len(prepared) == report["accepted"] == report["delivered"]
    outcomes = {row[0]: row[1] for row in rows_of(shown, "What happened")}
    assert str(report["delivered"]) == outcomes["delivered"]


def _smsflow(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "smsflow_provider.cli.main", *arguments],
        env={**system.airflow.env(), "SMSFLOW_STORE": system.store_dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_preparation_stopped_from_the_command_line_fails_its_task_for_good(
    system: System,
) -> None:
    """The list of opt-outs is kept from the preparation until it was stopped."""
    with system.store.transaction() as connection:
        connection.execute("LOCK TABLE smsflow_opt_outs IN ACCESS EXCLUSIVE MODE")
        run = system.start("system.ruled")
        _wait_until_it_prepares(run)
        stopped = _smsflow(system, "stop", run.delivery_id)
    states = run.wait("failed")
    log = run.client.task_log(run.dag_id, run.run_id, "sms.prepare")
    task: dict[str, Any] = run.client.call(
        "GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/sms.prepare"
    )

    assert 0 == stopped.returncode, stopped.stderr
    assert ("failed", 1) == (states["sms.prepare"], task["try_number"])
    assert "this preparation was stopped" in log
    assert "State: <b>draft</b>" in _page(run)
    assert {"upstream_failed"} == {states["proof"], states["sms.review_and_send"]}


def _wait_until_it_prepares(run: Run) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with run.system.store.transaction() as connection:
            row = connection.execute(
                "SELECT state FROM smsflow_deliveries WHERE id = %s", (run.delivery_id,)
            ).fetchone()
        if row and row["state"] == "preparing":
            return
        time.sleep(0.2)
    raise TimeoutError(run.client.task_states(run.dag_id, run.run_id))
