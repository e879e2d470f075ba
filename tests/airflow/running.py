"""
Runs DAGs in this process, task by task, as the scheduler would, and answers reviews over REST.

``dag.test()`` runs a DAG once, by hand, to its end. These helpers also stop at a review, run a
backfill, clear tasks, mark them, and let a question time out, with Airflow's own code each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import airflow.models.xcom
from airflow import settings
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance, clear_task_instances
from airflow.models.trigger import handle_event_submit
from airflow.sdk import DAG, timezone
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
from airflow.triggers.base import TriggerEvent
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select
from starlette.testclient import TestClient

#: Answers a question that waits; gets the run and the task that asks.
Respond = Callable[["Run", str], object]

BUNDLE = "dags-folder"
ROLES = {"ann": "ADMIN", "maria": "USER", "vera": "VIEWER"}


@cache
def make_metadata() -> None:
    """Make Airflow's metadata database, once a process."""
    initdb()
    with create_session() as session:
        bundles = DagBundlesManager()  # type: ignore[no-untyped-call]
        bundles.sync_bundles_to_db(session=session)


@cache
def make_server() -> TestClient:
    """Make Airflow's API server, once a process; whoever enters it must leave it."""
    make_metadata()
    return TestClient(create_app(), base_url="http://airflow.test", raise_server_exceptions=True)


def headers_of(user: str, *, role: str | None = None) -> dict[str, str]:
    """Log *user* in."""
    person = SimpleAuthManagerUser(username=user, role=role or ROLES[user])
    token = get_auth_manager().generate_jwt(person)
    return {"Authorization": f"Bearer {token}"}


def register(dag: DAG) -> SerializedDAG:
    """Tell Airflow of *dag*, as the DAG processor would."""
    make_metadata()
    with create_session() as session:
        lazy = LazyDeserializedDAG.from_dag(dag)
        SerializedDAG.bulk_write_to_db(BUNDLE, None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name=BUNDLE, session=session)
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


@dataclass(kw_only=True)
class Run:
    """One run of a DAG, and what people do to it."""

    dag: DAG
    run_id: str
    #: Tasks that somebody marks a success instead of letting them run.
    marked: set[str] = field(default_factory=set)

    @classmethod
    def start(
        cls,
        dag: DAG,
        *,
        conf: Mapping[str, Any] | None = None,
        kind: str = "manual",
        run_id: str | None = None,
    ) -> Run:
        """Make a run; nothing runs yet."""
        scheduled = register(dag)
        now = timezone.utcnow()
        name = run_id or f"{kind}__{now.isoformat()}"
        with create_session() as session:
            scheduled.create_dagrun(
                run_id=name,
                logical_date=now,
                data_interval=(now, now),
                run_after=now,
                conf=dict(conf or {}),
                run_type=DagRunType(kind),
                triggered_by=DagRunTriggeredByType.TEST,
                triggering_user_name="maria",
                state=DagRunState.RUNNING,
                start_date=now,
                session=session,
            )
        return cls(dag=dag, run_id=name)

    def go(self, *answers: Respond, within_s: float = 60) -> Run:
        """
        Run what can be run. Each question gets the next of *answers*; without one it waits.

        Raises:
            TimeoutError: It is not done within *within_s*.
        """
        left = list(answers)
        end = time.monotonic() + within_s
        while True:
            self.step()
            waiting = self.waiting()
            if self.state not in {"running", "queued"} or (waiting and not left):
                return self
            if waiting:
                left.pop(0)(self, waiting[0])
            if time.monotonic() > end:
                raise TimeoutError(f"{self.run_id}: {self.states}")

    def step_until(self, task_id: str) -> Run:
        """Run what can be run until *task_id* has been tried once."""
        while self.states[task_id] in {"none", "scheduled"} and self.state == "running":
            self.step()
        return self

    def step(self) -> None:
        """Run every task that may run now, once."""
        with self._session() as (session, run):
            if run.state != DagRunState.RUNNING:
                return
            ready, _ = run.update_state(session=session)
            for task in ready:
                task.try_number += 1
                task.state = TaskInstanceState.SCHEDULED
                task.scheduled_dttm = timezone.utcnow()
            session.commit()
            for task in run.get_task_instances(session=session):
                if task.state == TaskInstanceState.SCHEDULED:
                    self._run(task)
            session.commit()

    def _run(self, task: TaskInstance) -> None:
        if task.task_id in self.marked:
            task.set_state(TaskInstanceState.SUCCESS)
        else:
            _run_task(ti=task, task=self.dag.task_dict[task.task_id])

    def waiting(self) -> list[str]:
        """Name the tasks that wait for a person."""
        return [name for name, state in self.states.items() if state == "awaiting_input"]

    @property
    def state(self) -> str:
        """The run's state."""
        with self._session() as (_, run):
            return _word(run.state)

    @property
    def states(self) -> dict[str, str]:
        """The state of each task; ``none`` for one that has not been looked at."""
        with self._session() as (session, run):
            tasks = run.get_task_instances(session=session)
            return {task.task_id: _word(task.state) for task in tasks}

    def tries(self, task_id: str) -> int:
        """How often a task was started."""
        with self._session() as (session, run):
            return int(_task_of(run, task_id, session).try_number)

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Read what a task handed on."""
        with create_session() as session:
            rows = session.scalars(
                select(airflow.models.xcom.XComModel).where(
                    airflow.models.xcom.XComModel.run_id == self.run_id,
                    airflow.models.xcom.XComModel.task_id == task_id,
                    airflow.models.xcom.XComModel.key == key,
                )
            ).all()
            return rows[0].value if rows else None

    def stored(self) -> str:
        """Everything Airflow keeps of this run for people to see: XCom, fields, questions."""
        with self._session() as (session, run):
            xcoms = session.scalars(
                select(airflow.models.xcom.XComModel).where(
                    airflow.models.xcom.XComModel.run_id == self.run_id
                )
            ).all()
            fields = session.scalars(
                select(RenderedTaskInstanceFields).where(
                    RenderedTaskInstanceFields.run_id == self.run_id
                )
            ).all()
            questions = [
                (row.subject, row.body, row.params, row.options, row.assignees)
                for row in self._questions(session, run)
            ]
            kept = [(row.task_id, row.key, row.value) for row in xcoms]
            return repr([kept, [row.rendered_fields for row in fields], questions, run.conf])

    def question(self, task_id: str) -> HITLDetail:
        """Read the question a task asks."""
        with self._session() as (session, run):
            task = _task_of(run, task_id, session)
            (found,) = [row for row in self._questions(session, run) if row.ti_id == task.id]
            session.expunge_all()
        return found

    def answer(
        self,
        task_id: str,
        option: str | list[str],
        *,
        user: str = "maria",
        role: str | None = None,
        params: Mapping[str, Any] | None = None,
        path: str | None = None,
    ) -> Any:
        """Answer over REST; returns the response."""
        chosen = [option] if isinstance(option, str) else option
        return make_server().patch(
            path or self.path(task_id),
            json={"chosen_options": chosen, "params_input": dict(params or {})},
            headers=headers_of(user, role=role),
        )

    def path(self, task_id: str) -> str:
        """Where a question is answered."""
        dag, run = self.dag.dag_id, self.run_id
        return f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task_id}/-1/hitlDetails"

    def resume(self, task_id: str, event: Mapping[str, Any]) -> None:
        """Hand *event* to a task that waits, past the checks of the REST API."""
        with self._session() as (session, run):
            task = _task_of(run, task_id, session)
            handle_event_submit(_event(event), task_instance=task, session=session)
            session.commit()

    def run_out(self, task_id: str) -> None:
        """Let the time to answer pass, and the scheduler notice it."""
        with self._session() as (session, run):
            task = _task_of(run, task_id, session)
            assert task.trigger_timeout is not None
            task.trigger_timeout = timezone.utcnow() - timedelta(seconds=1)
            session.commit()
        with create_session() as session:
            SchedulerJobRunner(job=_job()).check_awaiting_input_timeouts(session=session)

    def mark(self, task_id: str, state: str = "success") -> Run:
        """Mark a task from outside, as the button in Airflow does."""
        with self._session() as (session, run):
            _task_of(run, task_id, session).state = TaskInstanceState(state)
            session.commit()
        return self

    def go_only(self, *task_ids: str) -> Run:
        """Run these tasks and nothing that comes after them."""
        with self._session() as (session, run):
            for name in task_ids:
                task = _task_of(run, name, session)
                task.try_number += 1
                task.state = TaskInstanceState.SCHEDULED
                session.commit()
                self._run(task)
        return self

    def clear(self, *task_ids: str) -> Run:
        """Clear tasks, all of them if none is named, and what the run came to."""
        with self._session() as (session, run):
            chosen = [
                task
                for task in run.get_task_instances(session=session)
                if not task_ids or task.task_id in task_ids
            ]
            clear_task_instances(chosen, session, dag_run_state=DagRunState.RUNNING)
            session.commit()
        return self

    @staticmethod
    def _questions(session: Any, run: DagRun) -> Sequence[HITLDetail]:
        ids = [task.id for task in run.get_task_instances(session=session)]
        return list(session.scalars(select(HITLDetail).where(HITLDetail.ti_id.in_(ids))).all())

    @contextmanager
    def _session(self) -> Iterator[tuple[Any, DagRun]]:
        make_session = settings.Session
        assert make_session is not None
        session = make_session()
        session.expire_all()
        run = session.scalar(
            select(DagRun).where(DagRun.dag_id == self.dag.dag_id, DagRun.run_id == self.run_id)
        )
        run.dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(self.dag))
        try:
            yield session, run
        finally:
            session.rollback()


def _event(payload: Mapping[str, Any]) -> TriggerEvent:
    return TriggerEvent(dict(payload))  # type: ignore[no-untyped-call]


def _job() -> Job:
    return Job()  # type: ignore[no-untyped-call]


def _task_of(run: DagRun, task_id: str, session: Any) -> Any:
    return run.get_task_instance(task_id, session=session)


def _word(state: object) -> str:
    return str(getattr(state, "value", state)).lower()


def send(run: Run, task_id: str) -> None:
    """Say Send."""
    response = run.answer(task_id, "Send", params={"comment": "fine"})
    assert 200 == response.status_code, response.text


def reject(run: Run, task_id: str) -> None:
    """Say Reject."""
    response = run.answer(task_id, "Reject", params={"comment": "wrong price"})
    assert 200 == response.status_code, response.text


def run_out(run: Run, task_id: str) -> None:
    """Let the time pass."""
    run.run_out(task_id)
