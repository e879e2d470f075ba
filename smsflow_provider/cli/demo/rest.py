"""A small client of Airflow's REST API: start a run, see it move, answer its review."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import NotFoundError, SmsflowError

#: A request answered sooner may fail its task: the scheduler still expects the task to end.
SETTLED_AFTER_S = 8.0
_Found = TypeVar("_Found")
_FINAL = frozenset({"success", "failed"})


def _ignore() -> None:
    pass


class AirflowClient:
    """
    One user of one Airflow.

    Logs in at the first request and keeps the token, which holds for a day. It waits by asking
    again, and calls *check* each time, so that a dead server ends the wait.

    Args:
        base_url: Address of the api-server, without a path.
        user: Login name.
        password: His or her password.
        check: Called between two questions; it may raise.
        poll_s: Pause between two questions.
        transport: What carries the requests; None means the network.
        now: The clock, compared with Airflow's.
        pause: Waits some seconds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        user: str,
        password: str,
        check: Callable[[], None] = _ignore,
        poll_s: float = 0.5,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.user = user
        self._password = password
        self._check = check
        self._poll_s = poll_s
        self._now = now
        self._pause = pause
        self._token = ""
        # A proxy of the environment must not see the requests to this machine.
        self._http = httpx.Client(
            base_url=self.base_url, timeout=30.0, trust_env=False, transport=transport
        )

    def __enter__(self) -> Self:
        """Use, and close at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        self._http.close()

    def token(self) -> str:
        """
        Log in, once.

        Raises:
            SmsflowError: Airflow refused the login.
        """
        if not self._token:
            login = {"username": self.user, "password": self._password}
            answer = self._send("POST", "/auth/token", json=login, headers={})
            self._token = str(answer["access_token"])
        return self._token

    def call(self, method: str, path: str, *, json: Any = None, **query: object) -> Any:
        """
        Make one request as this user.

        Returns:
            The decoded answer; None for an empty one.

        Raises:
            NotFoundError: Airflow knows no such thing (404).
            SmsflowError: Airflow said no otherwise; the fact ``status`` is the HTTP status.
        """
        headers = {"Authorization": f"Bearer {self.token()}"}
        return self._send(method, path, json=json, params=query, headers=headers)

    def _send(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise SmsflowError(
                "Airflow does not answer", url=self.base_url + path, cause=type(error).__name__
            ) from error
        if answer.is_error:
            _raise_refusal(method, path, answer)
        return answer.json() if answer.content else None

    def health(self) -> dict[str, str]:
        """Ask for the state of each part, such as ``{"scheduler": "healthy"}``. Needs no login."""
        parts = self._send("GET", "/api/v2/monitor/health", headers={})
        return {name: str(part["status"]) for name, part in parts.items() if part}

    def import_errors(self) -> list[str]:
        """List what Airflow could not read in the DAG folder: the file, then the reason."""
        found = self.call("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in found]

    def wait_for_dag(self, dag_id: str, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """
        Wait until Airflow has read a DAG.

        Raises:
            SmsflowError: It took longer than *timeout_s*; the files that Airflow could not read
                are named.
        """

        def look() -> dict[str, Any] | None:
            try:
                return dict(self.call("GET", _dag_path(dag_id)))
            except NotFoundError:
                return None

        dag = self.poll(look, timeout_s=timeout_s)
        if dag is None:
            raise SmsflowError(
                "Airflow has not found the DAG", dag=dag_id, unreadable=self.import_errors()
            )
        return dag

    def start_run(
        self, dag_id: str, *, run_id: str, conf: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """
        Start a run. A second run of the same *run_id* is refused with status 409.

        Returns:
            The run as Airflow describes it.
        """
        wish = {"logical_date": None, "dag_run_id": run_id, "conf": dict(conf or {})}
        return dict(self.call("POST", f"{_dag_path(dag_id)}/dagRuns", json=wish))

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Look at a run; ``state`` is ``queued``, ``running``, ``success`` or ``failed``."""
        return dict(self.call("GET", _run_path(dag_id, run_id)))

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Give the state of each task of a run; a mapped task shows its last instance."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        found = self.call("GET", path, limit=100)["task_instances"]
        return {task["task_id"]: task["state"] or "none" for task in found}

    def task_log(
        self, dag_id: str, run_id: str, task_id: str, *, try_number: int = 1, map_index: int = -1
    ) -> str:
        """Read the log of one try of a task, or of an instance of a mapped one, line by line."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/logs/{try_number}"
        answer = self.call("GET", path, full_content=True, map_index=map_index)
        return "\n".join(str(line) for line in answer.get("content", []))

    def wait_for_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        states: Iterable[str] = _FINAL,
        timeout_s: float = 300.0,
    ) -> str:
        """
        Wait until a run is in one of *states*.

        Returns:
            That state.

        Raises:
            SmsflowError: It took longer than *timeout_s*, or the run ended otherwise.
        """
        wanted = frozenset(states)

        def look() -> str | None:
            state = str(self.run(dag_id, run_id)["state"])
            return state if state in wanted | _FINAL else None

        state = self.poll(look, timeout_s=timeout_s)
        if state not in wanted:
            raise self._unexpected(dag_id, run_id, wanted=sorted(wanted), state=state)
        return state

    def xcom(self, dag_id: str, run_id: str, task_id: str, *, key: str = "return_value") -> Any:
        """
        Read what a task left for the others.

        Raises:
            NotFoundError: It left nothing under that key.
        """
        path = (
            f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/xcomEntries/{quote(key)}"
        )
        return self.call("GET", path, deserialize=False)["value"]

    def open_reviews(self, dag_id: str = "~", run_id: str = "~") -> list[dict[str, Any]]:
        """List the requests that wait for a person; ``~`` means every DAG, every run."""
        path = f"{_run_path(dag_id, run_id)}/hitlDetails"
        found = self.call("GET", path, state="awaiting_input", response_received=False, limit=100)
        return [dict(detail) for detail in found["hitl_details"]]

    def wait_for_review(
        self, dag_id: str, run_id: str, *, timeout_s: float = 180.0
    ) -> dict[str, Any]:
        """
        Wait until a run asks a person.

        Returns:
            The request as Airflow describes it.

        Raises:
            SmsflowError: The run ended without asking, or *timeout_s* passed.
        """

        def look() -> dict[str, Any] | str | None:
            reviews = self.open_reviews(dag_id, run_id)
            state = str(self.run(dag_id, run_id)["state"])
            return reviews[0] if reviews else state if state in _FINAL else None

        found = self.poll(look, timeout_s=timeout_s)
        if not isinstance(found, dict):
            raise self._unexpected(dag_id, run_id, wanted=["a review"], state=found)
        return found

    def answer(
        self,
        review: Mapping[str, Any],
        option: str,
        *,
        inputs: Mapping[str, Any] | None = None,
        settled_after_s: float = SETTLED_AFTER_S,
    ) -> dict[str, Any]:
        """
        Answer a request, not before it is *settled_after_s* old.

        Raises:
            SmsflowError: Somebody has answered (409), this user may not (403), or the option is
                none of the request's (400).
        """
        self._let_settle(review, settled_after_s)
        task = review["task_instance"]
        path = (
            f"{_run_path(task['dag_id'], task['dag_run_id'])}/taskInstances/"
            f"{quote(task['task_id'])}/{task.get('map_index', -1)}/hitlDetails"
        )
        body = {"chosen_options": [option], "params_input": dict(inputs or {})}
        return dict(self.call("PATCH", path, json=body))

    def poll(self, look: Callable[[], _Found | None], *, timeout_s: float) -> _Found | None:
        """Ask *look* again and again; None when *timeout_s* passed without an answer."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = look()
            if found is not None or time.monotonic() > deadline:
                return found
            self._check()
            self._pause(self._poll_s)

    def _let_settle(self, review: Mapping[str, Any], settled_after_s: float) -> None:
        created_at = datetime.fromisoformat(str(review["created_at"]))
        age_s = (self._now() - created_at).total_seconds()
        self._pause(max(0.0, settled_after_s - age_s))

    def _unexpected(
        self, dag_id: str, run_id: str, *, wanted: list[str], state: object
    ) -> SmsflowError:
        return SmsflowError(
            "the run did not get where it should",
            dag=dag_id,
            run=run_id,
            wanted=wanted,
            state=state or "still waiting",
            tasks=self.task_states(dag_id, run_id),
        )


def _dag_path(dag_id: str) -> str:
    return f"/api/v2/dags/{quote(dag_id, safe='~')}"


def _run_path(dag_id: str, run_id: str) -> str:
    return f"{_dag_path(dag_id)}/dagRuns/{quote(run_id, safe='~')}"


def _raise_refusal(method: str, path: str, answer: httpx.Response) -> None:
    kind = NotFoundError if answer.status_code == httpx.codes.NOT_FOUND else SmsflowError
    raise kind(
        "Airflow said no",
        request=f"{method} {path}",
        status=answer.status_code,
        detail=answer.text[:400],
    )
