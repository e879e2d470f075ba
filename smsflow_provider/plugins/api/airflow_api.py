"""Airflow's own REST API, called from inside the API server with the caller's own credentials."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from starlette.requests import Request

from smsflow_provider.core.model import Origin

#: The key under which the root middleware leaves the API server in a request's scope.
INNER = "smsflow.airflow"
#: What proves who calls.
_CREDENTIALS = ("authorization", "cookie")
#: The state of a task that waits for an answer.
WAITING = "awaiting_input"
_DONE = "success"
#: Not states of Airflow: it could not be read; it was answered, and will go on.
_UNKNOWN, _ANSWERED = "", "answered"
#: States in which a task takes no decision any more, unless it is cleared.
ENDED = frozenset({"failed", "upstream_failed", "skipped", "removed"})
#: How often, a second apart, to look at a task that runs.
_LOOKS = 10
#: Seconds for one call, with the time for which an early answer is held back.
_WITHIN_S = 60

log = structlog.get_logger(__name__)


class Told(StrEnum):
    """Whether a task of Airflow knows a decision."""

    #: It took the answer, or will find the decision when it runs.
    YES = "yes"
    #: Airflow could not be asked, or did not take the answer: the task still waits.
    NO = "no"
    #: The task has ended without a decision: it must be cleared to find this one.
    ENDED = "ended"


async def answer_question(request: Request, task: Origin, *, option: str, comment: str) -> Told:
    """
    Answer what *task* asks, as the caller of *request*.

    No network, address or certificate is between: the call goes to the very server that *request*
    came to, through the middleware that holds early answers back. A task that does not wait is
    left alone: Airflow takes an answer for it, too, and does nothing.
    """
    app = request.scope.get(INNER)
    if app is None:
        return Told.NO
    headers = {name: request.headers[name] for name in _CREDENTIALS if name in request.headers}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://airflow", headers=headers, timeout=_WITHIN_S
    ) as client:
        try:
            return await _answer(client, task, option=option, comment=comment)
        except httpx.HTTPError as error:
            log.warning("Airflow could not be told of a decision", cause=type(error).__name__)
            return Told.NO


async def _answer(client: httpx.AsyncClient, task: Origin, *, option: str, comment: str) -> Told:
    path = _path_of(task)
    question = f"{path}/{task.map_index}/hitlDetails"
    state = await _settled_state(client, path, task, question=question)
    if state in ENDED:
        return Told.ENDED
    if state not in {WAITING, _UNKNOWN}:
        return Told.YES if state in {_DONE, _ANSWERED} else Told.NO
    body: dict[str, Any] = {"chosen_options": [option], "params_input": {"comment": comment}}
    answer = await client.patch(question, json=body)
    if answer.is_success or answer.status_code == httpx.codes.CONFLICT:
        return Told.YES
    log.warning("Airflow did not take a decision", status=answer.status_code)
    return Told.NO


async def _settled_state(
    client: httpx.AsyncClient, path: str, task: Origin, *, question: str
) -> str:
    """
    Read the state of a task, once it waits, has been answered, or has ended.

    One that is about to wait looks for a decision before it asks, and not again.
    """
    state = _UNKNOWN
    for _ in range(_LOOKS):
        found = await client.get(path if task.map_index < 0 else f"{path}/{task.map_index}")
        state = str(found.json().get("state") or "") if found.is_success else _UNKNOWN
        if state in ENDED | {WAITING, _DONE, _UNKNOWN}:
            break
        asked = await client.get(question)
        if asked.is_success and asked.json().get("response_received"):
            return _ANSWERED
        await asyncio.sleep(1)
    return state


def _path_of(task: Origin) -> str:
    parts = (("dags", task.dag_id), ("dagRuns", task.run_id), ("taskInstances", task.task_id))
    return "/api/v2" + "".join(f"/{name}/{quote(value, safe='')}" for name, value in parts)
