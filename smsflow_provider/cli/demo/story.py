"""The story the demo tells: start a campaign over REST, review it, send it, see what happened."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from smsflow_provider.cli.demo.machines import DAG_ID, Machines
from smsflow_provider.cli.demo.processes import tail_of
from smsflow_provider.cli.demo.rest import AirflowClient
from smsflow_provider.cli.demo.screen import Screen
from smsflow_provider.cli.demo.show import (
    RECEIVED,
    check_sums,
    progress_line,
    report_lines,
    review_lines,
)
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.preparation.review import review
from smsflow_provider.core.store.deliveries import list_deliveries

SEND = "Send"
ReviewBy = Literal["auto", "manual"]
#: How long the demo waits for the last receipts; the simulator sends them within seconds.
_RECEIPTS_S = 20.0
_FINAL = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    One campaign, from its start to its report.

    Raises:
        SmsflowError: Something failed on the way; the facts name the logs.
    """

    machines: Machines
    screen: Screen
    #: Names the run; the second one of a name is refused by Airflow.
    run_id: str
    #: Who presses Send: the demo as its manager, or a person in the UI.
    review_by: ReviewBy

    def tell(self) -> Mapping[str, Any]:
        """Run the campaign and show each step; returns the report."""
        admin = self.machines.airflow.client("admin")
        self.screen.step(f"starting the workflow {DAG_ID}")
        admin.wait_for_dag(DAG_ID)
        admin.start_run(DAG_ID, run_id=self.run_id)
        request = self._wait_for_review(admin)
        delivery_id = self._delivery_id()
        self.screen.step("prepared; nothing has been sent")
        self.screen.lines(["", *review_lines(review(self.machines.store, delivery_id)), ""])
        page = f"{self.machines.airflow.base_url}/smsflow/deliveries/{delivery_id}"
        self.screen.lines([f"The same as a page: {page}", ""])
        self._decide(request, delivery_id)
        self._follow(admin, delivery_id)
        return self._conclude(delivery_id)

    def _wait_for_review(self, admin: AirflowClient) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            self._show_tasks(admin)
            reviews = admin.open_reviews(DAG_ID, self.run_id)
            if not reviews:
                self._check_run(admin)
            return reviews[0] if reviews else None

        found = admin.poll(look, timeout_s=120)
        if found is None:
            raise SmsflowError("nobody was asked to review the delivery", logs=self._logs)
        return found

    def _show_tasks(self, admin: AirflowClient) -> None:
        states = admin.task_states(DAG_ID, self.run_id)
        self.screen.change("  ".join(f"{task}: {state}" for task, state in states.items()))

    def _check_run(self, admin: AirflowClient) -> str:
        """Say the run's state; raise if it failed, with the end of the failed task's log."""
        state = str(admin.run(DAG_ID, self.run_id)["state"])
        if state != "failed":
            return state
        tasks = admin.task_states(DAG_ID, self.run_id)
        failed = {task: self._last_words(task) for task, its in tasks.items() if its == "failed"}
        tail = "\n".join(f"{task}: {line}" for task, lines in failed.items() for line in lines)
        raise SmsflowError("the run has failed", tasks=tasks, logs=self._logs, tail=tail)

    def _last_words(self, task: str) -> list[str]:
        """Read the end of a task's log. Our tasks never write a number or a text there."""
        folder = Path(self._logs) / "tasks" / f"dag_id={DAG_ID}" / f"run_id={self.run_id}"
        logs = sorted((folder / f"task_id={task}").glob("attempt=*.log"))
        lines = tail_of(logs[-1], lines=5).splitlines() if logs else []
        return [line[:400] for line in lines]

    @property
    def _logs(self) -> str:
        return str(self.machines.home / "airflow" / "logs")

    def _delivery_id(self) -> str:
        for delivery, _figures in list_deliveries(self.machines.store):
            if delivery.origin.run_id == self.run_id:
                return delivery.id
        raise SmsflowError("the run made no delivery", run=self.run_id, logs=self._logs)

    def _decide(self, request: Mapping[str, Any], delivery_id: str) -> None:
        """Press Send as the manager, or wait until a person has pressed something."""
        if self.review_by == "auto":
            self.screen.step("approving it as the manager")
            self.machines.airflow.client("manager").answer(request, SEND)
            return
        self.screen.lines(self._invitation(request))
        while report(self.machines.store, delivery_id)["state"] == "ready":
            self.machines.airflow.check()
            time.sleep(1)

    def _invitation(self, request: Mapping[str, Any]) -> list[str]:
        task = request["task_instance"]
        page = f"/dags/{DAG_ID}/runs/{self.run_id}/tasks/{task['task_id']}/required_actions"
        return [
            "Now it is your turn: log in as manager (password: manager), open",
            f"  {self.machines.airflow.base_url}{page}",
            "and press Send or Reject. Nothing leaves before that.",
            "To look closer, in another shell:",
            f"  . {quote(str(self.machines.environment))} && smsflow deliveries",
            "",
        ]

    def _follow(self, admin: AirflowClient, delivery_id: str) -> None:
        """Show how sending goes until the run has ended."""
        self.screen.step("sending")
        store = self.machines.store

        def look() -> str | None:
            self.screen.change(progress_line(report(store, delivery_id)))
            state = self._check_run(admin)
            return state if state in _FINAL else None

        if admin.poll(look, timeout_s=300) is None:
            raise SmsflowError("sending takes too long", delivery=delivery_id, logs=self._logs)

    def _conclude(self, delivery_id: str) -> Mapping[str, Any]:
        """Wait for the receipts that are on their way, show the report, check its sums."""
        final = self._wait_for_receipts(delivery_id)
        self.screen.step(f"the delivery is {final['state']}")
        self.screen.lines(["", *report_lines(final), ""])
        if final["state"] == "finished":
            check_sums(final)
        return final

    def _wait_for_receipts(self, delivery_id: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + _RECEIPTS_S
        while True:
            now = report(self.machines.store, delivery_id)
            self.screen.change(progress_line(now))
            outstanding = now["accepted"] - sum(now[known] for known in RECEIVED)
            if outstanding <= 0 or time.monotonic() > deadline:
                return now
            time.sleep(0.5)
