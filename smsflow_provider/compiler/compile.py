"""A workflow becomes an Airflow DAG. Translation only: what is allowed is decided in the core."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronTriggerTimetable, Param

from smsflow_provider.compiler.inspect import graph_of_dag
from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.workflow.graph import check_graph
from smsflow_provider.core.workflow.parameter import Parameter, schema_of
from smsflow_provider.core.workflow.plan import plan
from smsflow_provider.core.workflow.problem import error_of
from smsflow_provider.core.workflow.schedule import Schedule
from smsflow_provider.core.workflow.spec import (
    SEND_IN_BACKFILL,
    BuildAudience,
    SmsDelivery,
    Workflow,
)
from smsflow_provider.operators.build_audience import BuildAudienceOperator
from smsflow_provider.operators.sms_delivery import SmsDeliveryOperator

#: Fields of an audience that the operator calls otherwise, or gets with parameters bound.
_TRANSLATED = {"kind", "after", "callable", "parameters", "op_kwargs", "rules", "http"}
_WHOLE_PARAMETER = re.compile(r"\s*\{\{\s*params\.(\w+)\s*\}\}\s*")


def compile_workflow(spec: Workflow) -> DAG:
    """
    Build the DAG of *spec*. Reads no file, no connection, and no function of the user.

    The DAG never catches up and has one run at a time. A scheduled one gets the parameter
    ``send_in_backfill``: a backfilled run prepares, and sends only if the run or the delivery
    says so. The finished DAG is checked again: no send may start without its review.

    Raises:
        WorkflowError: ``facts["problems"]`` lists everything that speaks against it.
    """
    order = dict.fromkeys(step.activity for step in plan(spec).steps)
    with DAG(schedule=_timetable_of(spec.schedule), **_settings_of(spec)) as dag:
        built: dict[str, Any] = {}
        for name in order:
            built[name] = _build(name, spec.activities[name], built, dag)
    if found := check_graph(graph_of_dag(dag)):
        raise error_of(found, what=spec.id)
    return dag


def _settings_of(spec: Workflow) -> dict[str, Any]:
    return {
        "dag_id": spec.id,
        "dag_display_name": spec.label or spec.id,
        "description": spec.label,
        "doc_md": spec.description or None,
        "start_date": _moment_of(spec.start_date, time.min, spec.schedule),
        "end_date": _moment_of(spec.end_date, time.max, spec.schedule),
        "params": _params_of(spec),
        "tags": list(spec.tags),
        "default_args": {"owner": spec.owner},
        "catchup": False,
        "max_active_runs": 1,
    }


def _timetable_of(schedule: Schedule | None) -> CronTriggerTimetable | None:
    if schedule is None:
        return None
    return CronTriggerTimetable(schedule.cron, timezone=schedule.timezone)


def _moment_of(day: date | None, at: time, schedule: Schedule | None) -> datetime | None:
    if day is None or schedule is None:
        return None
    return datetime.combine(day, at, tzinfo=ZoneInfo(schedule.timezone))


def _params_of(spec: Workflow) -> dict[str, Param]:
    params = {name: _param_of(each) for name, each in spec.params.items()}
    if spec.schedule is not None:
        params[SEND_IN_BACKFILL] = Param(
            default=False,
            type="boolean",
            title="Send in a backfill",
            description="A backfilled run prepares its deliveries; only with this is it sent.",
        )
    return params


def _param_of(parameter: Parameter) -> Param:
    default = {"default": parameter.default} if parameter.has_default else {}
    schema = schema_of(parameter)
    return Param(**default, description=schema.pop("description", None), schema=schema)


def _build(
    name: str, activity: BuildAudience | SmsDelivery, built: Mapping[str, Any], dag: DAG
) -> Any:
    """Make the task or group of one activity, after those it refers to."""
    task: BuildAudienceOperator | SmsDeliveryOperator
    if isinstance(activity, SmsDelivery):
        task = _delivery(name, activity, audience=built[str(activity.audience)].output)
    else:
        task = _audience(name, activity, dag)
    for other in activity.after:
        built[other] >> task
    return task


def _audience(name: str, activity: BuildAudience, dag: DAG) -> BuildAudienceOperator:
    fields = activity.model_dump(exclude=_TRANSLATED, exclude_unset=True)
    if activity.callable is not None:
        fields["python_callable"] = Function(path=activity.callable)
        fields["op_kwargs"] = _typed(activity.op_kwargs, dag)
    if activity.rules is not None:
        fields["rules"] = _typed(activity.rules, dag)
    if activity.http is not None:
        fields["http"] = _typed(activity.http, dag)
    if activity.parameters:
        fields["parameters"] = _typed(activity.parameters, dag)
    return BuildAudienceOperator(task_id=name, **fields)


def _delivery(name: str, activity: SmsDelivery, *, audience: Any) -> SmsDeliveryOperator:
    return SmsDeliveryOperator(
        task_id=name,
        audience=audience,
        template=activity.template,
        gateway_conn_id=activity.gateway,
        label=activity.label,
        region=activity.region,
        typology=activity.typology,
        exclude=None if activity.exclude is None else activity.exclude.as_dict(),
        weight=activity.weight,
        budget=activity.budget,
        dry_run=activity.dry_run,
        response_timeout=activity.review_within,
        on_expiry=activity.on_expiry,
        on_reject=activity.on_reject,
        assigned_users=list(activity.reviewers) or None,
        four_eyes=activity.four_eyes,
        send_in_backfill=activity.send_in_backfill,
        workers=activity.workers,
    )


def _typed(value: Any, dag: DAG) -> Any:
    """
    Bind ``{{ params.x }}`` to the parameter itself: a number stays a number.

    A text with more around it is left to Airflow's templating, which makes a text of it.
    """
    if isinstance(value, Mapping):
        return {key: _typed(each, dag) for key, each in value.items()}
    if isinstance(value, list):
        return [_typed(each, dag) for each in value]
    found = _WHOLE_PARAMETER.fullmatch(value) if isinstance(value, str) else None
    return dag.param(found[1]) if found and found[1] in dag.params else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """
    A function of the user, by name: imported when the task runs, never when a DAG is parsed.

    Example:
        >>> Function(path="textwrap:dedent")("  a")
        'a'
    """

    #: ``package.module:function``
    path: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """
        Call the function.

        Raises:
            AudienceError: There is no such module, or it has no such function.
        """
        module, _, name = self.path.partition(":")
        try:
            function = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise AudienceError(
                "the function of the audience cannot be loaded",
                callable=self.path,
                cause=str(error),
            ) from error
        return function(*args, **kwargs)
