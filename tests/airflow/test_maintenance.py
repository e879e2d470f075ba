"""The maintenance DAG: one task, all chores, and a failure that says which."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from smsflow_provider import maintenance_dag
from smsflow_provider.core.delivery.maintain import Chore
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.upkeep import make_upkeep
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run, make_metadata, send


def test_the_shipped_file_holds_the_dag(repository: Path) -> None:
    bag = DagBag(str(repository / "dags" / "maintenance.py"), load_op_links=False)

    dag = bag.dags["smsflow.maintenance"]
    assert {} == bag.import_errors
    assert (False, 1) == (dag.catchup, dag.max_active_runs)
    assert ["maintain"] == dag.task_ids


def test_it_does_every_chore(
    airflow_store: Store,  # noqa: ARG001  behind a connection
    simulator: RunningSimulator,  # noqa: ARG001  same
) -> None:
    make_metadata()
    run = Run.start(maintenance_dag("smsflow.every_chore", retries=0)).go()

    assert "success" == run.state
    assert {chore.value for chore in Chore} == set(run.xcom("maintain"))


def test_a_chore_that_fails_fails_the_task(
    airflow_store: Store,  # noqa: ARG001  behind a connection
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_metadata()
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RETENTION_DAYS", "7")
    run = Run.start(maintenance_dag("smsflow.failing", retries=0)).go()

    assert ("failed", None) == (run.state, run.xcom("maintain"))


def test_it_archives_what_is_older_than_configured(
    make_dag: MakeDag,
    airflow_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sent = Run.start(make_dag()).go(send)
    delivery = sent.xcom("sms.report")["delivery"]
    with airflow_store.transaction() as connection:
        connection.execute(
            "UPDATE smsflow_deliveries SET moved_at = moved_at - interval '500 days',"
            " ended_at = ended_at - interval '500 days' WHERE id = %s",
            (delivery,),
        )
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RETENTION_DAYS", "400")
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", f"file://{tmp_path}/kept")

    run = Run.start(maintenance_dag("smsflow.archiving", retries=0)).go()

    assert 1 == run.xcom("maintain")["retention"]
    (place,) = (tmp_path / "kept" / "archive").iterdir()
    assert (place / "messages.parquet").is_file()


@pytest.mark.parametrize("days", ["7", "-1", "a year", "8.5"])
def test_other_days_are_refused(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__RETENTION_DAYS", days)

    with pytest.raises(ConfigError, match="8 days and more"):
        SmsflowConfig.read()


@pytest.mark.parametrize(("given", "days"), [("29", None), ("30", 30), ("", 0), ("x", None)])
def test_replies_are_kept_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, given: str, days: int | None
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REPLIES_DAYS", given)

    if days is None:
        with pytest.raises(ConfigError, match="replies_days: write 0 for never, or 30 days"):
            SmsflowConfig.read()
    else:
        assert days == make_upkeep(SmsflowConfig.read(), actor="me").replies_days


@pytest.mark.parametrize(("given", "days"), [("7", None), ("8", 8), ("", 0)])
def test_files_of_audiences_are_kept_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, given: str, days: int | None
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__AUDIENCE_DAYS", given)

    if days is None:
        with pytest.raises(ConfigError, match="audience_days: write 0 for never, or 8 days"):
            SmsflowConfig.read()
    else:
        assert days == make_upkeep(SmsflowConfig.read(), actor="me").audience_days


@pytest.mark.parametrize(
    ("archive", "expected"),
    [("", "/a/archive"), ("/b", "/b"), ("none", "None"), ("file:///c", "file:///c")],
)
def test_the_archive_is_where_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, archive: str, expected: str
) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARTIFACTS", "/a")
    monkeypatch.setenv("AIRFLOW__SMSFLOW__ARCHIVE", archive)

    upkeep = make_upkeep(SmsflowConfig.read(), actor="me")

    assert (expected, 0) == (str(upkeep.archive), upkeep.retention_days)


def test_a_misspelled_chore_is_named(airflow_store: Store) -> None:  # noqa: ARG001  same
    make_metadata()
    dag = maintenance_dag("smsflow.misspelled", only=["recepts"], retry_delay=timedelta(0))

    assert "failed" == Run.start(dag).go().state
