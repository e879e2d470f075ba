"""A campaign with all a preparation can be told, on a real gateway; and a proof before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from airflow.sdk import DAG

from smsflow_provider import BuildAudienceOperator, SendProofOperator, SmsDeliveryOperator

#: One of them stands there twice, written another way, with more points.
PEOPLE = """
    SELECT id, phone, first_name, id % 50 AS points,
           CASE WHEN id % 3 = 0 THEN 'fr' ELSE 'en' END AS language
      FROM many WHERE id <= 300
     UNION ALL
    SELECT 9001, '+33' || substr(phone, 2), first_name, 99, 'fr' FROM many WHERE id = 20
     UNION ALL
    SELECT 9002, 'n/a', 'Nobody', 99, 'fr'
     ORDER BY id
"""

with DAG("system.ruled", schedule=None, catchup=False):
    staff = BuildAudienceOperator(
        task_id="staff",
        conn_id="crm",
        sql="SELECT id, phone FROM many WHERE id BETWEEN 101 AND 110",
        id_column="id",
        save_as="staff",
    )
    people = BuildAudienceOperator(task_id="people", conn_id="crm", sql=PEOPLE, id_column="id")
    sms = SmsDeliveryOperator(
        "sms",
        audience=people.output,
        template="ruled",
        gateway_conn_id="kannel",
        typology="ruled",
        exclude={"audiences": ["staff"]},
        budget="default",
        receipts_within=timedelta(seconds=90),
        retries=3,
        retry_delay=timedelta(seconds=2),
    )
    prepare = cast("Any", sms.get_child_by_label("prepare"))
    proof = SendProofOperator(
        task_id="proof", delivery=prepare.output, to="+33698765432", pick="longest"
    )
    staff >> people >> sms
    prepare >> proof >> sms.get_child_by_label("review_and_send")
