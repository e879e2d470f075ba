"""The DAG that keeps the store in order, for the one small file that hands it to Airflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable

from smsflow_provider.operators.maintain import MaintainOperator


def maintenance_dag(
    dag_id: str = "smsflow.maintenance",
    *,
    cron: str = "*/10 * * * *",
    store_conn_id: str = "smsflow_store",
    **operator_kwargs: Any,
) -> DAG:
    """
    Build the DAG that runs ``smsflow maintain`` now and then. Reads no connection.

    It applies late receipts, settles doubts, closes what nobody else closes, drops what was
    replaced and applies retention. One run at a time; missed ones are not made up for.

    Args:
        dag_id: Its id.
        cron: When, in UTC: five fields or a preset.
        store_conn_id: Connection of the store.
        operator_kwargs: Common operator arguments (pool, queue, …) of its only task.

    Example:
        >>> maintenance_dag().task_ids
        ['maintain']
    """
    with DAG(
        dag_id=dag_id,
        dag_display_name="smsflow: maintenance",
        description="Late receipts, doubts, what was stopped or replaced, retention",
        schedule=CronTriggerTimetable(cron, timezone="UTC"),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["smsflow"],
    ) as dag:
        MaintainOperator(task_id="maintain", store_conn_id=store_conn_id, **operator_kwargs)
    return dag
