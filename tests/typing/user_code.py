"""What users write, as a type checker must accept it. Checked by mypy, never run."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from smsflow_provider import (
    BuildAudienceOperator,
    ManualApprovalSensor,
    PrepareDeliveryOperator,
    SendDeliveryOperator,
    SendSmsOperator,
    SmsDeliveryOperator,
    SmsNotifier,
    Workflow,
    compile_workflow,
    load_workflows,
)
from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.content.transliteration import transliterate
from smsflow_provider.core.preparation.number import to_e164

with DAG("team.user_code", schedule=None) as dag:
    people = BuildAudienceOperator(task_id="people", file="s3://bucket/people.parquet")
    sms = SmsDeliveryOperator(
        "sms",
        audience=people.output,
        template="sale",
        typology="regulars",
        exclude={"filters": {"minors": "age < 18"}, "size_limit": {"count": 1_000}},
        weight=8,
        budget="marketing",
        response_timeout=timedelta(days=2),
        retries=1,
    )
    page = SendSmsOperator(
        task_id="page",
        to=["+33612345678"],
        text="The load is done",
        on_failure_callback=SmsNotifier(to="+33612345678", text="{{ dag.dag_id }} has failed"),
    )
    prepare = PrepareDeliveryOperator(task_id="prepare", audience=people.output, template="sale")
    review = ManualApprovalSensor(task_id="review", delivery=prepare.output)
    send = SendDeliveryOperator(task_id="send", delivery=prepare.output)
    people >> sms >> page
    people >> prepare >> review >> send

workflow = Workflow.model_validate({"id": "team.sale", "activities": {}})
compiled: DAG = compile_workflow(workflow)
found: dict[str, DAG] = load_workflows("workflows")

parts: int = measure("Été", split="grapheme", reference_bits=16).parts
plain: str = transliterate("“Été”", "punctuation")
number: str | None = to_e164("06 12 34 56 78", region="FR").e164
