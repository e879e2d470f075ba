"""The workflows that Airflow keeps: DAGs with tasks of ours, their runs and their plan."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from sqlalchemy import ColumnElement, func, select

from smsflow_provider.core.model import Origin
from smsflow_provider.plugins.api.airflow_api import WAITING
from smsflow_provider.plugins.api.models.workflows import ActivityKind

#: What our operators do, by the names of their classes.
_KINDS: Final = {
    "BuildAudienceOperator": ActivityKind.AUDIENCE,
    "PrepareDeliveryOperator": ActivityKind.PREPARE,
    "ManualApprovalSensor": ActivityKind.REVIEW,
    "SendDeliveryOperator": ActivityKind.SEND,
    "ReportDeliveryOperator": ActivityKind.REPORT,
    "SendSmsOperator": ActivityKind.DIRECT,
    "SendProofOperator": ActivityKind.DIRECT,
}
#: How far ahead runs are planned: a schedule may be of one day a year.
_AHEAD: Final = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of a workflow."""

    task_id: str
    kind: ActivityKind
    #: The group it is in; its own id where there is none.
    group: str
    #: Ids of the tasks before it, in order.
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a version of a DAG is made of."""

    #: Each behind those before it.
    tasks: tuple[Task, ...]
    timezone: str

    @property
    def is_workflow(self) -> bool:
        """Whether a task of it is ours."""
        return any(task.kind is not ActivityKind.OTHER for task in self.tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDag:
    """One DAG with what Airflow says of it."""

    dag_id: str
    label: str
    description: str
    schedule: str | None
    schedule_words: str
    is_paused: bool
    next_run: datetime | None
    shape: Shape


class _Shapes:
    """The shapes of DAGs, each read once a version: reading one takes milliseconds."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Shape]] = {}
        self._lock = threading.Lock()

    def read(self, session: Any, hashes: dict[str, str]) -> dict[str, Shape]:
        """Tell the shapes of the DAGs of *hashes*, which gives the hash of each."""
        with self._lock:
            old = [one for one, now in hashes.items() if self._known.get(one, ("",))[0] != now]
            if old:
                rows = SerializedDagModel.get_latest_serialized_dags(dag_ids=old, session=session)
                for row in rows:
                    self._known[row.dag_id] = (hashes[row.dag_id], shape_of(row.dag))
            return {one: self._known[one][1] for one in hashes if one in self._known}


_shapes = _Shapes()


def shape_of(dag: Any) -> Shape:
    """Read what *dag*, as Airflow keeps it, is made of."""
    by_id = {task.task_id: task for task in dag.tasks}
    zone = getattr(dag.timetable, "_timezone", None) or dag.timezone
    return Shape(
        tasks=tuple(_task(by_id[one]) for one in _in_order(by_id)),
        timezone=str(getattr(zone, "name", zone)),
    )


def _in_order(tasks: dict[str, Any]) -> Iterator[str]:
    """Name each task behind those before it."""
    left = dict(tasks)
    while left:
        free = [one for one in left if not left.keys() & left[one].upstream_task_ids]
        for one in free or list(left):
            yield one
            del left[one]


def _task(task: Any) -> Task:
    group = task.task_group.group_id if task.task_group else None
    return Task(
        task_id=task.task_id,
        kind=_KINDS.get(task.task_type, ActivityKind.OTHER),
        group=group or task.task_id,
        after=tuple(sorted(task.upstream_task_ids)),
    )


def known_dag_ids() -> set[str]:
    """Name the DAGs that Airflow has, ours or not. DAGs that are gone are left out."""
    with create_session() as session:
        return set(session.scalars(select(DagModel.dag_id).where(~DagModel.is_stale)))


def remembered_dags(dag_ids: Collection[str]) -> set[str]:
    """Name those of *dag_ids* that Airflow remembers, gone or not."""
    wanted = select(DagModel.dag_id).where(DagModel.dag_id.in_(dag_ids))
    with create_session() as session:
        return set(session.scalars(wanted))


def known_workflows(dag_ids: Collection[str]) -> list[KnownDag]:
    """List the workflows among *dag_ids*, by id. DAGs that are gone are left out."""
    newest = (
        select(SerializedDagModel.dag_id, func.max(SerializedDagModel.created_at).label("at"))
        .where(SerializedDagModel.dag_id.in_(dag_ids))
        .group_by(SerializedDagModel.dag_id)
        .subquery()
    )
    hashes = select(SerializedDagModel.dag_id, SerializedDagModel.dag_hash).join(
        newest,
        (newest.c.dag_id == SerializedDagModel.dag_id)
        & (newest.c.at == SerializedDagModel.created_at),
    )
    wanted = (
        select(DagModel)
        .where(~DagModel.is_stale, DagModel.dag_id.in_(dag_ids))
        .order_by(DagModel.dag_id)
    )
    with create_session() as session:
        models = list(session.scalars(wanted))
        there = {one.dag_id for one in models}
        read = {one: now for one, now in session.execute(hashes).all() if one in there}
        shapes = _shapes.read(session, read)
        return [
            _known(one, shapes[one.dag_id])
            for one in models
            if one.dag_id in shapes and shapes[one.dag_id].is_workflow
        ]


def _known(model: Any, shape: Shape) -> KnownDag:
    summary = model.timetable_summary
    is_scheduled = summary not in {None, "None"}
    return KnownDag(
        dag_id=model.dag_id,
        label=model.dag_display_name or model.dag_id,
        description=model.description or "",
        schedule=summary if is_scheduled else None,
        schedule_words=(model.timetable_description or "") if is_scheduled else "",
        is_paused=bool(model.is_paused),
        next_run=model.next_dagrun_create_after,
        shape=shape,
    )


def last_runs(dag_ids: Collection[str]) -> dict[str, DagRun]:
    """Find the newest run of each of *dag_ids* that has one."""
    newest = select(func.max(DagRun.id)).where(DagRun.dag_id.in_(dag_ids)).group_by(DagRun.dag_id)
    with create_session() as session:
        runs = session.scalars(select(DagRun).where(DagRun.id.in_(newest))).all()
        session.expunge_all()
    return {run.dag_id: run for run in runs}


def runs_of(dag_id: str, *, limit: int) -> Sequence[DagRun]:
    """List the last *limit* runs of a DAG, newest first."""
    wanted = select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc()).limit(limit)
    with create_session() as session:
        runs = session.scalars(wanted).all()
        session.expunge_all()
    return runs


def task_states(dag_id: str, run_id: str) -> dict[str, str]:
    """Tell the states of the tasks of a run; of a mapped task, that of its last part."""
    wanted = (
        select(TaskInstance.task_id, TaskInstance.state)
        .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
        .order_by(TaskInstance.map_index)
    )
    with create_session() as session:
        return {task_id: str(state) for task_id, state in session.execute(wanted) if state}


def waits_until(task: Origin) -> datetime | None:
    """
    Tell when *task*, which waits for an answer, stops waiting. None: never, or it does not wait.

    Airflow looks every quarter of a minute: an answer may still be taken so long after.
    """
    waits = TaskInstance.state == WAITING
    wanted = select(TaskInstance.trigger_timeout).where(*_is(task), waits)
    with create_session() as session:
        return session.scalar(wanted)


def state_of(task: Origin) -> str:
    """Tell what state *task* is in; empty: in none, or it is not there."""
    with create_session() as session:
        return str(session.scalar(select(TaskInstance.state).where(*_is(task))) or "")


def _is(task: Origin) -> tuple[ColumnElement[bool], ...]:
    """Find the instance of *task*."""
    return (
        TaskInstance.dag_id == task.dag_id,
        TaskInstance.run_id == task.run_id,
        TaskInstance.task_id == task.task_id,
        TaskInstance.map_index == task.map_index,
    )


def planned_runs(dag: Any, *, since: datetime | None, limit: int) -> list[Any]:
    """
    Plan the next runs of *dag* as its timetable says, at most *limit*.

    Args:
        since: Logical date of the next run, as the scheduler has it. None: there is no next run.
    """
    if since is None or not dag.timetable.can_be_scheduled:
        return []
    until = since + _AHEAD
    latest = min(until, dag.end_date) if dag.end_date else until
    return list(islice(dag.iter_dagrun_infos_between(since, latest), limit))


def kept_dag(dag_id: str) -> tuple[Any, datetime | None] | None:
    """Read a DAG as Airflow keeps it and the date of its next run; None: there is no such DAG."""
    dag = SerializedDagModel.get_dag(dag_id)
    if dag is None:
        return None
    with create_session() as session:
        since = session.scalar(select(DagModel.next_dagrun).where(DagModel.dag_id == dag_id))
    return dag, since
