"""A person stops a preparation while its task runs."""

from __future__ import annotations

import threading
import time

import pytest

from smsflow_provider.core.delivery.control import stop
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, list_deliveries, read_log
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run


def stop_when_it_prepares(store: Store, label: str, is_held: threading.Event) -> None:
    """Keep a list that the preparation needs to itself, until the delivery was stopped."""
    with store.transaction() as connection:
        connection.execute("LOCK TABLE smsflow_opt_outs IN ACCESS EXCLUSIVE MODE")
        is_held.set()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = list_deliveries(store, state=DeliveryState.PREPARING, limit=1)
            if found and found[0][0].label == label:
                stop(store, found[0][0].id, actor="vera")
                return
            time.sleep(0.02)


def test_a_stopped_preparation_fails_its_task_for_good_and_is_not_begun_again(
    make_dag: MakeDag,
    airflow_store: Store,
    simulator: RunningSimulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    label, is_held = "Stopped sale", threading.Event()
    stopping = threading.Thread(
        target=stop_when_it_prepares, args=(airflow_store, label, is_held), daemon=True
    )
    stopping.start()
    assert is_held.wait(timeout=30)
    run = Run.start(make_dag(label=label, retries=3)).go()
    stopping.join(timeout=60)
    delivery = find_delivery(airflow_store, run.xcom("sms.prepare", "delivery"))

    assert ("failed", 1) == (run.state, run.tries("sms.prepare"))
    assert "this preparation was stopped" in capfd.readouterr().out
    assert (DeliveryState.DRAFT, None) == (delivery.state, delivery.fingerprint)
    assert ["preparation_stopped"] == [row["event"] for row in read_log(airflow_store, delivery)]
    assert [] == simulator.messages()
