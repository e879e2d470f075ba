"""The two operators in an ordinary Airflow DAG, between tasks of any other kind."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param

from smsflow_provider import BuildAudienceOperator, SmsDeliveryOperator

with DAG(
    dag_id="marketing.win_back",
    dag_display_name="Win back",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    params={"quiet_days": Param(180, type="integer", minimum=30, maximum=3650)},
    tags=["sms"],
):
    sleepers = BuildAudienceOperator(
        task_id="sleepers",
        conn_id="crm",
        sql="""
            SELECT customer_id, first_name, phone
              FROM customers
             WHERE last_order_on < current_date - CAST(%(quiet_days)s AS integer)
             ORDER BY customer_id
        """,
        parameters={"quiet_days": "{{ params.quiet_days }}"},
        id_column="customer_id",
    )
    sms = SmsDeliveryOperator(
        task_id="sms",
        audience=sleepers.output,
        template="win_back",
        gateway_conn_id="sms_gateway",
        region="FR",
        response_timeout=timedelta(days=3),
    )
    # Runs only if the delivery was sent; a rejected one skips it.
    thank_the_team = EmptyOperator(task_id="thank_the_team")

    sleepers >> sms >> thank_the_team
