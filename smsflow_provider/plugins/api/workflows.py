"""
Workflows over REST: which there are, and one with its graph, its plan and its runs. Reading only.

Runs are started through Airflow's own API, which checks the parameters: ``POST
/api/v2/dags/{dag_id}/dagRuns``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Path, Query

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.listing import row_of
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.audience_files import find_run_file
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.delivery_list import Wish, pick_dags, pick_deliveries, read_listed
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.plugins.api.access import StoreDep, may_read, may_start, readable_dags
from smsflow_provider.plugins.api.dags import (
    KnownDag,
    Shape,
    Task,
    kept_dag,
    known_dag_ids,
    known_workflows,
    last_runs,
    planned_runs,
    runs_of,
    task_states,
)
from smsflow_provider.plugins.api.models.workflows import (
    ActivityKind,
    WorkflowDetail,
    Workflows,
)

router = APIRouter(tags=["workflows"])

#: Runs that are shown, and those that are planned.
_MOST_RUNS: Final = 10
#: Deliveries that are looked at for the last runs.
_MOST_DELIVERIES: Final = 100
#: States of a delivery that has left its review for the gateway.
_LEFT: Final = {"approved", "sending", "paused", "finished", "stopped"}

# A database's text holds no NUL.
_NO_NUL: Final = r"^[^\x00]*$"

_Row = dict[str, Any]


@router.get("/workflows", response_model=Workflows)
def read_workflows(store: StoreDep, user: GetUserDep) -> dict[str, Any]:
    """List the workflows that the caller may see, by name: how they are planned and went."""
    visible = readable_dags(user, known_dag_ids())
    shown = sorted(known_workflows(visible), key=lambda one: one.label.casefold())
    ids = sorted(one.dag_id for one in shown)
    runs = last_runs(ids)
    latest = _latest_deliveries(store, ids)
    return {
        "workflows": [
            _row(one, run=runs.get(one.dag_id), delivery=latest.get(one.dag_id)) for one in shown
        ]
    }


@router.get("/workflows/{dag_id}", response_model=WorkflowDetail)
def read_workflow(
    dag_id: Annotated[str, Path(max_length=250, pattern=_NO_NUL)],
    store: StoreDep,
    user: GetUserDep,
    run_id: Annotated[
        str | None,
        Query(
            max_length=250,
            pattern=_NO_NUL,
            description="Whose counts; else the last with a delivery",
        ),
    ] = None,
) -> dict[str, Any]:
    """Show one workflow: its tasks with the counts of a run, its plan, its last runs."""
    known = known_workflows([dag_id]) if may_read(user, dag_id) else []
    kept = kept_dag(dag_id) if known else None
    if kept is None:
        raise NotFoundError("there is no such workflow")
    dag, since = kept
    (found,) = known
    runs = runs_of(dag_id, limit=_MOST_RUNS)
    with KeptStore(store) as reading:
        rows = _rows(reading, Wish(dags=[dag_id]), limit=_MOST_DELIVERIES)
        shown = run_id or _run_to_show(rows, runs)
        ours = [row for row in rows if row["run_id"] == shown]
        if run_id and not ours:
            ours = _rows(reading, Wish(dags=[dag_id], run_id=run_id), limit=_MOST_DELIVERIES)
        graph = _graph(reading, dag_id, found.shape, run_id=shown, rows=ours)
    by_run = _by_run(rows)
    return {
        **_row(found, run=runs[0] if runs else None, delivery=rows[0] if rows else None),
        **graph,
        "run_id": shown,
        "next_runs": [_plan(one) for one in planned_runs(dag, since=since, limit=_MOST_RUNS)],
        "runs": [{**_run(one), "deliveries": by_run.get(one.run_id, [])} for one in runs],
        "params": [_param(name, dag.params.get_param(name)) for name in dag.params],
        "may_start": may_start(user, dag_id),
    }


def _rows(store: Store, wish: Wish, *, limit: int) -> list[_Row]:
    now = utc_now()
    found = read_listed(store, pick_deliveries(store, wish, limit=limit))
    return [row_of(one, now=now) for one in found]


def _latest_deliveries(store: Store, dag_ids: Sequence[str]) -> dict[str, _Row]:
    """Find the newest delivery of each DAG that has one."""
    now = utc_now()
    with KeptStore(store) as reading:
        places = pick_dags(reading, Wish(dags=dag_ids), limit=max(1, len(dag_ids)))
        found = read_listed(reading, [place.no for _, place in places])
    return {one.dag_id: row_of(one, now=now) for one in found}


def _by_run(rows: Sequence[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row["run_id"]].append(row)
    return found


def _run_to_show(rows: Sequence[_Row], runs: Sequence[Any]) -> str | None:
    if rows:
        return str(rows[0]["run_id"])
    return runs[0].run_id if runs else None


def _row(known: KnownDag, *, run: Any, delivery: _Row | None) -> dict[str, Any]:
    return {
        "dag_id": known.dag_id,
        "label": known.label,
        "description": known.description,
        "schedule": known.schedule,
        "schedule_words": known.schedule_words,
        "timezone": known.shape.timezone,
        "is_paused": known.is_paused,
        "next_run": _iso(known.next_run),
        "activities": Counter(task.kind for task in known.shape.tasks),
        "last_run": _run(run) if run else None,
        "last_delivery": delivery,
    }


def _run(run: Any) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "state": str(run.state),
        "kind": str(run.run_type),
        "logical_date": _iso(run.logical_date),
        "run_after": run.run_after.isoformat(),
        "started_at": _iso(run.start_date),
        "ended_at": _iso(run.end_date),
        "started_by": run.triggering_user_name or "",
    }


def _graph(
    store: Store, dag_id: str, shape: Shape, *, run_id: str | None, rows: Sequence[_Row]
) -> dict[str, Any]:
    """Draw the tasks of a DAG, with what they handed on in a run."""
    states = task_states(dag_id, run_id) if run_id else {}
    deliveries = {row["task_id"]: row for row in reversed(rows)}
    by_id = {task.task_id: task for task in shape.tasks}
    found = {
        task.task_id: _found(store, Origin(dag_id=dag_id, run_id=run_id, task_id=task.task_id))
        for task in shape.tasks
        if task.kind is ActivityKind.AUDIENCE and run_id
    }
    levels: dict[str, int] = {}
    for task in shape.tasks:
        levels[task.task_id] = 1 + max((levels.get(one, -1) for one in task.after), default=-1)
    return {
        "nodes": [
            {
                "task_id": task.task_id,
                "kind": task.kind,
                "group": task.group,
                "level": levels[task.task_id],
                "state": states.get(task.task_id),
                "delivery": (_delivery_of(task, deliveries) or {}).get("delivery"),
            }
            for task in shape.tasks
        ],
        "arrows": [
            {
                "source": before,
                "target": task.task_id,
                "count": _handed_on(by_id[before], task, deliveries=deliveries, found=found),
            }
            for task in shape.tasks
            for before in task.after
            if before in by_id
        ],
    }


def _found(store: Store, by: Origin) -> int | None:
    """How many people a task found in a run. None: not known here."""
    file = find_run_file(store, by=by)
    return file.count if file else None


def _delivery_of(task: Task, deliveries: Mapping[str, _Row]) -> _Row | None:
    if task.kind in {ActivityKind.OTHER, ActivityKind.AUDIENCE}:
        return None
    return deliveries.get(task.group) or deliveries.get(task.task_id)


def _handed_on(
    before: Task, task: Task, *, deliveries: Mapping[str, _Row], found: Mapping[str, int | None]
) -> int | None:
    """How many people or messages went from one task to the next."""
    if before.kind is ActivityKind.AUDIENCE:
        row = _delivery_of(task, deliveries) if task.kind is ActivityKind.PREPARE else None
        known = found.get(before.task_id)
        return known if known is not None or row is None else row["targeted"]
    row = _delivery_of(before, deliveries)
    if row is None or row["prepared_at"] is None:
        return None
    if before.kind is ActivityKind.PREPARE:
        return int(row["to_deliver"])
    if row["state"] not in _LEFT:
        return None
    by_kind = {ActivityKind.REVIEW: "to_deliver", ActivityKind.SEND: "accepted"}
    return int(row[by_kind.get(before.kind, "delivered")])


def _plan(info: Any) -> dict[str, str | None]:
    interval = info.data_interval
    return {
        "starts_at": info.run_after.isoformat(),
        "logical_date": _iso(info.logical_date),
        "interval_start": _iso(interval.start) if interval else None,
        "interval_end": _iso(interval.end) if interval else None,
    }


def _param(name: str, param: Any) -> dict[str, Any]:
    told = param.dump()
    given = told.get("value")
    allowed = (told.get("schema") or {}).get("type")
    types = allowed if isinstance(allowed, list) else [allowed]
    # A parameter without a default is kept with nothing in its place.
    return {
        "name": name,
        "description": told.get("description") or "",
        "default": given,
        "is_required": given is None and bool(allowed) and "null" not in types,
        "rules": told.get("schema") or {},
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
