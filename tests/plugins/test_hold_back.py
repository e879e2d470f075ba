"""An answer that comes too early for Airflow waits; everything else passes untouched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import StoreUnreachableError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.connection import Store
from smsflow_provider.plugins.hold_back import HoldBackMiddleware
from smsflow_provider.testing.simulator import RunningSimulator
from tests.airflow.fixtures import MakeDag
from tests.airflow.running import Run

PATH = "/api/v2/dags/shop.sale/dagRuns/r1/taskInstances/sms.review_and_send/-1/hitlDetails"
TASK = Origin(dag_id="shop.sale", run_id="r1", task_id="sms.review_and_send")
REVIEW = "sms.review_and_send"


class Watched:
    """The middleware around nothing, with a clock of its own."""

    def __init__(self, *ages: float | Exception | None, hold_s: float | None = 7.0) -> None:
        self._ages = list(ages)
        self.waits: list[float] = []
        self.asked: list[Origin] = []
        self.passed: list[str] = []
        self.call = HoldBackMiddleware(
            self._pass, age_of=self._age_of, hold_s=hold_s, sleep=self._sleep
        )

    async def _pass(self, scope: Any, _receive: Any, _send: Any) -> None:
        self.passed.append(scope["type"])

    def _age_of(self, task: Origin) -> float | None:
        self.asked.append(task)
        age = self._ages.pop(0) if len(self._ages) > 1 else self._ages[0]
        if isinstance(age, Exception):
            raise age
        return age

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def request(self, path: str = PATH, *, method: str = "PATCH", kind: str = "http") -> None:
        scope = {"type": kind, "method": method, "path": path, "raw_path": None}
        asyncio.run(self.call(scope, None, None))


def test_an_early_answer_waits_until_the_question_is_old_enough() -> None:
    watched = Watched(2.5, 7.1)
    watched.request()

    assert [4.5] == watched.waits
    assert [TASK, TASK] == watched.asked
    assert ["http"] == watched.passed


@pytest.mark.parametrize("age_s", [7.0, 7.5, 86_400.0])
def test_an_old_question_is_answered_at_once(age_s: float) -> None:
    watched = Watched(age_s)
    watched.request()

    assert ([], ["http"]) == (watched.waits, watched.passed)


def test_a_question_asked_anew_meanwhile_is_waited_for_again() -> None:
    watched = Watched(6.0, 0.0, 7.0)
    watched.request()

    assert [1.0, 7.0] == watched.waits


def test_a_question_asked_for_ever_is_not_waited_for_for_ever() -> None:
    watched = Watched(0.0)
    watched.request()

    assert ([7.0, 7.0, 7.0], ["http"]) == (watched.waits, watched.passed)


def test_a_task_of_somebody_else_is_answered_at_once() -> None:
    watched = Watched(None)
    watched.request()

    assert ([], ["http"]) == (watched.waits, watched.passed)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", PATH, "http"),
        ("POST", PATH, "http"),
        ("PATCH", PATH.removesuffix("/hitlDetails"), "http"),
        ("PATCH", f"{PATH}/tries/1", "http"),
        ("PATCH", "/api/v2/dags/shop.sale", "http"),
        ("PATCH", "/api/v2/dags/~/dagRuns/~/hitlDetails", "http"),
        ("PATCH", PATH.replace("/api/v2", "/api/v3"), "http"),
        ("PATCH", PATH.replace("-1", "none"), "http"),
        ("PATCH", PATH.replace("-1", "inf"), "http"),
        ("PATCH", PATH.replace("r1", "r/1"), "http"),
        ("PATCH", "", "http"),
        ("PATCH", PATH, "websocket"),
        ("PATCH", PATH, "lifespan"),
    ],
)
def test_other_requests_are_not_even_looked_up(method: str, path: str, kind: str) -> None:
    watched = Watched(0.0)
    watched.request(path, method=method, kind=kind)

    assert ([], [], [kind]) == (watched.waits, watched.asked, watched.passed)


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        f"{PATH}/",
        f"/airflow{PATH}",
        f"/a/b{PATH}",
        PATH.replace("-1", "-1.0"),
        PATH.replace("-1", "-01"),
    ],
)
def test_every_way_to_write_the_path_is_the_same_task(path: str) -> None:
    watched = Watched(7.0)
    watched.request(path)

    assert [TASK] == watched.asked


@pytest.mark.parametrize("name", ["~", "manual__2026-01-01T00:00:00+00:00", "été", "a b", "%2F"])
def test_ids_are_taken_as_the_router_decoded_them(name: str) -> None:
    watched = Watched(None)
    watched.request(f"/api/v2/dags/{name}/dagRuns/{name}/taskInstances/{name}/3/hitlDetails")

    assert [Origin(dag_id=name, run_id=name, task_id=name, map_index=3)] == watched.asked


@given(path=st.text(max_size=200), method=st.sampled_from(["PATCH", "GET"]))
def test_no_path_breaks_the_api_server(path: str, method: str) -> None:
    watched = Watched(None)
    watched.request(path, method=method)

    assert ["http"] == watched.passed


@pytest.mark.parametrize(
    "error", [StoreUnreachableError("gone"), OSError("gone"), RuntimeError("what?")], ids=repr
)
def test_a_store_in_trouble_holds_nobody_up(error: Exception) -> None:
    watched = Watched(error)
    watched.request()

    assert ([], ["http"]) == (watched.waits, watched.passed)


def test_the_time_to_hold_comes_from_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REVIEW_HOLD_S", "11.5")
    watched = Watched(1.5, 12.0, hold_s=None)
    watched.request()

    assert [10.0] == watched.waits


def test_a_time_that_is_no_number_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REVIEW_HOLD_S", "a while")
    watched = Watched(1.5, hold_s=None)
    watched.request()

    assert ([], ["http"]) == (watched.waits, watched.passed)


# In the real API server


def test_an_answer_right_after_the_question_takes_its_time_and_works(
    make_dag: MakeDag, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start(make_dag()).go()
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REVIEW_HOLD_S", "1.5")
    _ask_now(run)
    began = time.monotonic()
    answer = run.answer(REVIEW, "Send")
    took_s = time.monotonic() - began

    assert 200 == answer.status_code
    assert 1.3 <= took_s < 10

    run.go()

    assert ("success", 2) == (run.state, len(simulator.messages()))


@pytest.mark.parametrize(
    "written",
    [
        lambda path: path.replace("/-1/", "/-1.0/"),
        lambda path: path.replace("shop.", "shop%2E"),
        lambda path: path.replace("/api/", "/%61pi/"),
        lambda path: path.replace("hitlDetails", "hitlDetail%73"),
        lambda path: path.replace("+00:00", "%2B00%3A00"),
    ],
    ids=["index", "dot", "prefix", "suffix", "run"],
)
def test_no_other_spelling_of_the_path_comes_around_the_hold(
    written: Callable[[str], str], make_dag: MakeDag, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start(make_dag(dag_id="shop.spelling")).go()
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REVIEW_HOLD_S", "0.7")
    began = time.monotonic()
    _ask_now(run)
    answer = run.answer(REVIEW, "Send", path=written(run.path(REVIEW)))
    took_s = time.monotonic() - began

    assert 200 != answer.status_code or took_s >= 0.6


def test_wildcards_answer_no_question(make_dag: MakeDag) -> None:
    run = Run.start(make_dag()).go()
    path = run.path(REVIEW).replace(run.dag.dag_id, "~").replace(run.run_id, "~")

    assert 404 == run.answer(REVIEW, "Send", path=path).status_code
    assert [REVIEW] == run.waiting()


def test_an_old_question_is_answered_at_once_in_the_server_too(
    make_dag: MakeDag, airflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start(make_dag()).go()
    monkeypatch.setenv("AIRFLOW__SMSFLOW__REVIEW_HOLD_S", "60")
    with airflow_store.transaction() as connection:
        connection.execute("UPDATE smsflow_reviews SET opened_at = opened_at - interval '61 s'")

    assert 200 == run.answer(REVIEW, "Send").status_code


def test_with_the_store_out_of_reach_airflow_still_takes_the_answer(
    make_dag: MakeDag, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.start(make_dag()).go()
    with monkeypatch.context() as meanwhile:
        meanwhile.setenv("AIRFLOW_CONN_SMSFLOW_STORE", '{"conn_type": "smsflow_store"}')

        assert 200 == run.answer(REVIEW, "Send").status_code

    assert "success" == run.go().state


def _ask_now(run: Run) -> None:
    """Let the sensor ask again: the question is new."""
    run.answer(REVIEW, "Reject", params={"comment": 5})
    run.go()
    assert [REVIEW] == run.waiting()
