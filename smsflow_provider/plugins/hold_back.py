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

import structlog

from smsflow_provider.core.model import Origin
from smsflow_provider.plugins.api.airflow_api import INNER

_PATH = re.compile(
    r"/api/v2/dags/(?P<dag>[^/]+)/dagRuns/(?P<run>[^/]+)"
    r"/taskInstances/(?P<task>[^/]+)/(?P<index>[^/]+)/hitlDetails/?$"
)
#: A question may be asked anew while an answer is held back; looked at again, this often at most.
_ROUNDS = 3

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
        if scope["type"] == "http":
            scope[INNER] = self  # for routes of ours that answer a review themselves
        task = _task_of(scope)
        if task is not None:
            await self._hold(task)
        await self._app(scope, receive, send)

    async def _hold(self, task: Origin) -> None:
        for _ in range(_ROUNDS):
            wait_s = await asyncio.to_thread(self._wait_s, task)
            if wait_s <= 0:
                return
            log.info("An early answer to a review is held back", seconds=round(wait_s, 1))
            await self._sleep(wait_s)

    def _wait_s(self, task: Origin) -> float:
        """Seconds to wait. A store in trouble holds nobody up: the sensor asks again."""
        try:
            age_s = self._age_of(task)
            hold_s = self._hold_s if self._hold_s is not None else _configured_hold_s()
        except Exception as error:  # noqa: BLE001  the whole API server is behind this call
            log.warning("Early answers are not held back", cause=type(error).__name__)
            return 0.0
        return 0.0 if age_s is None else max(0.0, hold_s - age_s)


def _task_of(scope: Scope) -> Origin | None:
    """
    Read which task a request answers; None if it is another request.

    Looks at the decoded path, as Airflow's router does, whatever prefix is before it: the API
    server may be mounted below a path of its own.
    """
    if scope["type"] != "http" or scope["method"] != "PATCH":
        return None
    found = _PATH.search(scope["path"])
    index = _index_of(found["index"]) if found else None
    if found is None or index is None:
        return None
    return Origin(dag_id=found["dag"], run_id=found["run"], task_id=found["task"], map_index=index)


def _index_of(text: str) -> int | None:
    """Read a map index the way the API does: ``-1`` and ``-1.0`` are the same."""
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


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
