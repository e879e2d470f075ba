"""Airflow's own REST API, called from inside the API server with the caller's own credentials."""

from __future__ import annotations

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

log = structlog.get_logger(__name__)


async def answer_question(
    request: Request, task: Origin, *, option: str, comment: str
) -> int | None:
    """
    Answer what *task* asks, as the caller of *request*.

    No network, address or certificate is between: the call goes to the very server that *request*
    came to, through the middleware that holds early answers back.

    Returns:
        Airflow's status: 200 where it took the answer, 409 where it has one. None: Airflow could
        not be asked.
    """
    app = request.scope.get(INNER)
    if app is None:
        return None
    path = "/api/v2" + "".join(
        f"/{name}/{quote(value, safe='')}"
        for name, value in (
            ("dags", task.dag_id),
            ("dagRuns", task.run_id),
            ("taskInstances", task.task_id),
        )
    )
    body: dict[str, Any] = {"chosen_options": [option], "params_input": {"comment": comment}}
    headers = {name: request.headers[name] for name in _CREDENTIALS if name in request.headers}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:
        try:
            answer = await client.patch(
                f"{path}/{task.map_index}/hitlDetails", json=body, headers=headers, timeout=60
            )
        except httpx.HTTPError as error:
            log.warning("Airflow could not be told of a decision", cause=type(error).__name__)
            return None
    if not answer.is_success and answer.status_code != httpx.codes.CONFLICT:
        log.warning("Airflow did not take a decision", status=answer.status_code)
    return answer.status_code
