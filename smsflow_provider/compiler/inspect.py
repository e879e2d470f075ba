"""
A loaded DAG, compiled or written by hand, as the graph that the core's safety check judges.

A task is known by its class or a base of it; a delivery by its prepare task, which everything
else of the delivery refers to.
"""

from __future__ import annotations

import re
from typing import Any

from airflow.sdk import DAG, XComArg

from smsflow_provider.core.workflow.graph import GraphStep, StepKind

_KINDS = {
    "BuildAudienceOperator": StepKind.BUILD_AUDIENCE,
    "PrepareDeliveryOperator": StepKind.PREPARE,
    "ManualApprovalSensor": StepKind.REVIEW,
    "SendDeliveryOperator": StepKind.SEND,
    "ReportDeliveryOperator": StepKind.REPORT,
}
#: ``{{ ti.xcom_pull(task_ids='sms.prepare') }}``, the templated way to refer to a delivery.
_PULL = re.compile(r"""xcom_pull\(\s*(?:task_ids\s*=\s*)?\[?\s*['"]([\w.-]+)['"]""")


def graph_of_dag(dag: DAG) -> list[GraphStep]:
    """Draw *dag*: every task with its kind, trigger rule, delivery, and what is before it."""
    return [_step_of(task, dag) for task in dag.tasks]


def _step_of(task: Any, dag: DAG) -> GraphStep:
    return GraphStep(
        task_id=task.task_id,
        kind=kind_of(task),
        trigger_rule=str(getattr(task.trigger_rule, "value", task.trigger_rule)),
        upstream=tuple(sorted(task.upstream_task_ids)),
        delivery=_delivery_of(task, dag, seen=frozenset()),
        is_mapped=_is_mapped(task) and not _is_spread(task),
        is_setup=bool(task.is_setup),
        is_teardown=bool(task.is_teardown),
    )


def kind_of(task: Any) -> StepKind:
    """Say what *task* does, by the name of its class or of a base."""
    made_by = getattr(task, "operator_class", type(task))
    names = [base.__name__ for base in getattr(made_by, "__mro__", ())]
    return next((_KINDS[name] for name in names if name in _KINDS), StepKind.OTHER)


def _is_mapped(task: Any) -> bool:
    own = bool(getattr(task, "is_mapped", False))
    return own or next(iter(task.iter_mapped_task_groups()), None) is not None


def _is_spread(task: Any) -> bool:
    """Whether *task* is the send of one delivery, mapped over its workers and nothing else."""
    if kind_of(task) is not StepKind.SEND or next(iter(task.iter_mapped_task_groups()), None):
        return False
    given = getattr(getattr(task, "expand_input", None), "value", None)
    return isinstance(given, dict) and set(given) == {"worker"}


def _delivery_of(task: Any, dag: DAG, *, seen: frozenset[str]) -> str | None:
    """Follow *task* to the prepare task it is about, or to the fixed id it was given."""
    kind = kind_of(task)
    if kind is StepKind.PREPARE:
        return str(task.task_id)
    if kind not in (StepKind.REVIEW, StepKind.SEND, StepKind.REPORT) or task.task_id in seen:
        return None
    name = _named_by(_argument(task, "delivery"))
    if name is None or name not in dag.task_dict:
        return name
    return _delivery_of(dag.task_dict[name], dag, seen=seen | {str(task.task_id)})


def _argument(task: Any, name: str) -> Any:
    """Read an argument of an operator; of a mapped one, what every instance gets."""
    given = getattr(task, "partial_kwargs", None)
    return getattr(task, name, None) if given is None else given.get(name)


def _named_by(delivery: Any) -> str | None:
    """Say which task, or which fixed delivery, an argument refers to."""
    if isinstance(delivery, XComArg):
        return next((str(task.task_id) for task, _ in delivery.iter_references()), None)
    if not isinstance(delivery, str) or not delivery:
        return None
    pulled = _PULL.search(delivery)
    return pulled[1] if pulled else delivery
