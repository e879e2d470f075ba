"""
Hold back an answer to one of our reviews that comes within seconds of the question.

Airflow 3.3 fails a task whose request is answered before its scheduler has digested that the
task is waiting. Every way to answer ends in ``PATCH …/hitlDetails`` of the public API; this
middleware lets the call wait until the question is old enough, whoever makes it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import structlog

from smsflow_provider.core.errors import SmsflowError
from smsflow_provider.core.store.deliveries import Origin

_PATH = re.compile(
    r"/api/v2/dags/(?P<dag>[^/]+)/dagRuns/(?P<run>[^/]+)"
    r"/taskInstances/(?P<task>[^/]+)/(?P<index>-?\d+)/hitlDetails/?$"
)

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class HoldBackMiddleware:
    """
    An ASGI middleware around the whole API server; costs one regular expression a request.

    Args:
        age_of: Seconds since a task asked, None if it is not one of ours. By default the store's.
        hold_s: How old a question must be, in seconds. By default ``[smsflow] review_hold_s``.
    """

    def __init__(
        self,
        app: App,
        *,
        age_of: Callable[[Origin], float | None] | None = None,
        hold_s: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._age_of = age_of or _age_in_store
        self._hold_s = hold_s
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on, now or a little later."""
        task = _task_of(scope)
        if task is not None:
            wait_s = await asyncio.to_thread(self._wait_s, task)
            if wait_s > 0:
                log.info("An early answer to a review is held back", seconds=round(wait_s, 1))
                await self._sleep(wait_s)
        await self._app(scope, receive, send)

    def _wait_s(self, task: Origin) -> float:
        """Seconds to wait. An unreachable store holds nobody up: the sensor asks again."""
        try:
            age_s = self._age_of(task)
        except SmsflowError as error:
            log.warning("Early answers are not held back", cause=error.problem)
            return 0.0
        hold_s = self._hold_s if self._hold_s is not None else _configured_hold_s()
        return 0.0 if age_s is None else max(0.0, hold_s - age_s)


def _task_of(scope: Scope) -> Origin | None:
    """Read which task a request answers; None if it is another request."""
    if scope["type"] != "http" or scope["method"] != "PATCH":
        return None
    found = _PATH.search(scope.get("raw_path", b"").split(b"?")[0].decode("latin-1"))
    if found is None:
        return None
    return Origin(
        dag_id=unquote(found["dag"]),
        run_id=unquote(found["run"]),
        task_id=unquote(found["task"]),
        map_index=int(found["index"]),
    )


def _age_in_store(task: Origin) -> float | None:
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415

    from smsflow_provider.core.store.approvals import review_age_s  # noqa: PLC0415
    from smsflow_provider.hooks.find_store import find_store  # noqa: PLC0415

    try:
        return review_age_s(find_store(), task)
    except AirflowNotFoundException:
        return None


def _configured_hold_s() -> float:
    from airflow.configuration import conf  # noqa: PLC0415

    return float(conf.getfloat("smsflow", "review_hold_s", fallback=7.0))
