"""What workflows answer over REST: those there are, and one with its graph and its runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.plugins.api.models.deliveries import DeliveryRow


class ActivityKind(StrEnum):
    """What a task of a workflow does."""

    AUDIENCE = "audience"
    PREPARE = "prepare"
    REVIEW = "review"
    SEND = "send"
    REPORT = "report"
    #: Sends without an audience and a review: few messages, or a proof.
    DIRECT = "direct"
    #: A task that is none of ours.
    OTHER = "other"


class _Answer(BaseModel):
    # What Python gives always stands in the answer, so clients need not ask whether it does.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class WorkflowRun(_Answer):
    """One run, as Airflow keeps it."""

    run_id: str
    state: str = Field(description="queued, running, success or failed")
    kind: str = Field(description="manual, scheduled, backfill or asset_triggered")
    logical_date: str | None = Field(description="Null: it was started without one")
    run_after: str
    started_at: str | None
    ended_at: str | None
    started_by: str = Field(description="Empty: nobody, Airflow did")


class WorkflowRow(_Answer):
    """One workflow in the list."""

    dag_id: str
    label: str
    description: str
    schedule: str | None = Field(description="As Airflow writes it, such as a cron; null: none")
    schedule_words: str = Field(description="In English; empty: Airflow has no words for it")
    timezone: str = Field(description="Of the schedule")
    is_paused: bool
    next_run: str | None = Field(description="When it starts; null: none is planned")
    activities: dict[ActivityKind, int] = Field(description="How many tasks of each kind")
    last_run: WorkflowRun | None
    last_delivery: DeliveryRow | None


class Workflows(_Answer):
    """Every workflow that the caller may see."""

    workflows: list[WorkflowRow]


class WorkflowNode(_Answer):
    """One task of the graph."""

    task_id: str
    kind: ActivityKind
    group: str = Field(description="The activity that it is part of; else its own id")
    level: int = Field(description="The longest way to it, from 0")
    state: str | None = Field(description="In the run that is shown; null: not yet, or no run")
    delivery: str | None = Field(description="Id of the delivery that the run made with it")


class WorkflowArrow(_Answer):
    """What one task hands to the next."""

    source: str
    target: str
    count: int | None = Field(description="People or messages; null: not known (yet)")


class NextRun(_Answer):
    """A run that the schedule plans."""

    starts_at: str
    logical_date: str | None
    interval_start: str | None = Field(description="Of the data that the run is about")
    interval_end: str | None


class RunWithDeliveries(WorkflowRun):
    """One run with what it made."""

    deliveries: list[DeliveryRow]


class WorkflowParam(_Answer):
    """A parameter that a run is started with."""

    name: str
    description: str
    default: Any = Field(description="Any JSON value; null: there is none")
    is_required: bool = Field(description="It has no default")
    rules: dict[str, Any] = Field(description="JSON schema of its value")


class WorkflowDetail(WorkflowRow):
    """One workflow: its graph with the counts of a run, and its runs."""

    run_id: str | None = Field(description="The run that the graph counts; null: none has run")
    nodes: list[WorkflowNode] = Field(description="In an order that follows the arrows")
    arrows: list[WorkflowArrow]
    next_runs: list[NextRun] = Field(description="At most ten; empty without a schedule")
    runs: list[RunWithDeliveries] = Field(description="The last ten, newest first")
    params: list[WorkflowParam]
    may_start: bool = Field(description="Whether the caller may start a run")
