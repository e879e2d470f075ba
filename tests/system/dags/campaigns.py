"""The DAGs of the system tests: one campaign per gateway, and one whose review runs out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from smsflow_provider import BuildAudienceOperator, SmsDeliveryOperator


def campaign(dag_id: str, *, gateway: str, **sms: Any) -> DAG:
    """Text the people of one table, then one task more."""
    with DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        max_active_runs=32,
        params={
            "people": Param("few", type="string", enum=["few", "many"]),
            "template": Param("note", type="string", pattern="^[a-z_]+$"),
        },
    ) as dag:
        people = BuildAudienceOperator(
            task_id="people",
            conn_id="crm",
            sql="SELECT id, phone, first_name, note FROM {{ params.people }} ORDER BY id",
            id_column="id",
        )
        delivery = SmsDeliveryOperator(
            "sms",
            audience=people.output,
            template="{{ params.template }}",
            gateway_conn_id=gateway,
            region="FR",
            retries=3,
            retry_delay=timedelta(seconds=2),
            receipts_within=timedelta(seconds=90),
            **sms,
        )
        people >> delivery >> EmptyOperator(task_id="afterwards")
    return dag


kannel = campaign("system.kannel", gateway="kannel")
four_eyes = campaign("system.four_eyes", gateway="simulator", four_eyes=True)
shared = campaign("system.shared", gateway="kannel", workers=4)
simulator = campaign("system.simulator", gateway="simulator")
slow = campaign("system.slow", gateway="slow_gateway")
hurried = campaign("system.hurried", gateway="simulator", response_timeout=timedelta(seconds=12))
