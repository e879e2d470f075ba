"""
From a workflow to the steps Airflow will run, and everything that speaks against it. Pure.

``build_audience -> <sms>.prepare -> <sms>.review_and_send -> <sms>.send -> <sms>.report``
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from smsflow_provider.core.workflow.graph import GraphStep, StepKind, check_graph
from smsflow_provider.core.workflow.outline import Outline, outlines_of, reference_problems
from smsflow_provider.core.workflow.problem import Problem, error_of, near_or_all
from smsflow_provider.core.workflow.spec import SEND_IN_BACKFILL, Workflow

__all__ = [
    "GraphStep",
    "Plan",
    "Step",
    "StepKind",
    "check_graph",
    "graph_of",
    "plan",
    "problems",
]

#: The tasks of one delivery, in their order. The names are law: reviews are found by them.
DELIVERY_STEPS = {
    "prepare": StepKind.PREPARE,
    "review_and_send": StepKind.REVIEW,
    "send": StepKind.SEND,
    "report": StepKind.REPORT,
}

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_PARAMETER = re.compile(r"\bparams(?:\.(\w+)|\[\s*['\"](\w+)['\"]\s*\])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task to be."""

    #: ``<activity>`` of an audience, ``<activity>.<step>`` of a delivery.
    task_id: str
    kind: StepKind
    #: Name of the activity it belongs to.
    activity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What Airflow will run, and in which order."""

    #: Every step comes after all it waits for.
    steps: tuple[Step, ...]
    #: ``(earlier, later)`` task ids.
    arrows: tuple[tuple[str, str], ...]


def plan(workflow: Workflow) -> Plan:
    """
    Order the activities of *workflow* into steps and arrows.

    What comes after a delivery waits for its report. The report runs in any case, and fails or
    skips what follows when the delivery was not sent.

    Raises:
        WorkflowError: The workflow has problems; all of them are in the facts.
    """
    if found := problems(workflow):
        raise error_of(found, what=workflow.id)
    return _plan(outlines_of(workflow))


def problems(workflow: Workflow) -> list[Problem]:
    """
    Name everything that speaks against running *workflow*.

    Returns:
        The problems; fields as paths into the workflow. Empty: it can be compiled, and none
        of its sends can start without an approved review.
    """
    outlines = outlines_of(workflow)
    found = [*reference_problems(outlines), *_parameters(workflow)]
    return found or check_graph(graph_of(_plan(outlines)))


def graph_of(plan: Plan) -> list[GraphStep]:
    """Draw *plan* as the graph that ``check_graph`` judges; only a report runs regardless."""
    before: dict[str, list[str]] = {step.task_id: [] for step in plan.steps}
    for earlier, later in plan.arrows:
        before[later].append(earlier)
    return [
        GraphStep(
            task_id=step.task_id,
            kind=step.kind,
            trigger_rule="all_done" if step.kind is StepKind.REPORT else "all_success",
            upstream=tuple(before[step.task_id]),
            delivery=step.activity if step.kind is not StepKind.BUILD_AUDIENCE else None,
        )
        for step in plan.steps
    ]


def _plan(outlines: Mapping[str, Outline]) -> Plan:
    steps = {name: _steps_of(name, each) for name, each in outlines.items()}
    inner = [pair for own in steps.values() for pair in _chain(own)]
    outer = [
        (steps[other][-1].task_id, steps[name][0].task_id)
        for name, each in outlines.items()
        for other in each.before
    ]
    ordered = [step for name in _order(outlines) for step in steps[name]]
    return Plan(steps=tuple(ordered), arrows=(*inner, *outer))


def _steps_of(name: str, outline: Outline) -> list[Step]:
    if outline.kind == "build_audience":
        return [Step(task_id=name, kind=StepKind.BUILD_AUDIENCE, activity=name)]
    return [
        Step(task_id=f"{name}.{word}", kind=kind, activity=name)
        for word, kind in DELIVERY_STEPS.items()
    ]


def _chain(steps: list[Step]) -> Iterator[tuple[str, str]]:
    for earlier, later in pairwise(steps):
        yield earlier.task_id, later.task_id


def _order(outlines: Mapping[str, Outline]) -> list[str]:
    """Order by references, by place in the file where they leave a choice; no cycles here."""
    done: dict[str, None] = {}
    while len(done) < len(outlines):
        ready = (
            name
            for name, each in outlines.items()
            if name not in done and all(other in done for other in each.before)
        )
        done[next(ready)] = None
    return list(done)


def _parameters(workflow: Workflow) -> Iterator[Problem]:
    """Unknown names behind ``params.`` in any text of any activity."""
    known = [*workflow.params, *([SEND_IN_BACKFILL] if workflow.schedule else [])]
    for name, activity in workflow.activities.items():
        fields = activity.model_dump(exclude={"kind", "after", "sql"}, exclude_unset=True)
        for field, text in _texts(fields, f"activities.{name}"):
            for word in _names_in(text):
                if word not in known:
                    yield Problem(
                        field=field,
                        text=f"unknown parameter {word!r}",
                        hint=near_or_all(word, known) or "declare it under params",
                    )


def _texts(value: object, field: str) -> Iterator[tuple[str, str]]:
    """Walk every text inside *value*, with the path that leads to it."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, f"{field}.{key}")
    elif isinstance(value, list | tuple):
        for at, each in enumerate(value):
            yield from _texts(each, f"{field}.{at}")


def _names_in(text: str) -> Iterable[str]:
    inside = " ".join(_EXPRESSION.findall(text))
    return dict.fromkeys(dotted or quoted for dotted, quoted in _PARAMETER.findall(inside))
