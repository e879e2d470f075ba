"""The application at ``/smsflow``: routes for people behind Airflow's login, one for gateways."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import cache, partial
from importlib.resources import files
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from smsflow_provider.core.store.connection import Store
from smsflow_provider.hooks.config import read_public_url
from smsflow_provider.hooks.dialects import read_dialects
from smsflow_provider.hooks.find_store import find_store
from smsflow_provider.plugins.api import (
    activity,
    approve,
    audiences,
    control,
    deliveries,
    explain,
    gateways,
    me,
    message_log,
    opt_outs,
    pages,
    proofs,
    quarantine,
    review,
    running,
    templates,
    workflows,
)
from smsflow_provider.plugins.api.document import PROBLEMS, document_of
from smsflow_provider.plugins.api.problems import tell_problems
from smsflow_provider.receiver.app import Receiver
from smsflow_provider.receiver.stored import applying, make_stored_app

#: What is below ``/api/v1``, in the order of its document.
_ROUTES = (
    me,
    deliveries,
    review,
    approve,
    proofs,
    explain,
    workflows,
    audiences,
    control,
    templates,
    opt_outs,
    quarantine,
    gateways,
    running,
    message_log,
    activity,
)


@cache
def application() -> FastAPI:
    """Build the application once a process. Opens nothing: the store is reached when used."""
    app = FastAPI(
        title="smsflow",
        version="1",
        lifespan=_applying,
        # Every route wants a login, before anything else of it is looked at.
        dependencies=[Depends(get_user)],
        # No pages of FastAPI's own: they load scripts from elsewhere. Its document asks for no
        # login: ours does, see ``me``.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=PROBLEMS,
    )
    for each in _ROUTES:
        app.include_router(each.router, prefix="/api/v1")
    app.include_router(pages.router)
    tell_problems(app)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    # Mounted, so behind no login: the dashboard's code says nothing of anybody.
    www = files("smsflow_provider.plugins").joinpath("www", "dist")
    app.mount("/static", StaticFiles(directory=str(www)), name="static")
    # Mounted, so behind no login: gateways bring a token of ours, and the receiver checks it.
    app.mount("/", _RECEIVER)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """Write the OpenAPI document, once."""
    if app.openapi_schema is None:
        app.openapi_schema = document_of(app)
    return app.openapi_schema


class _LateReceiver:
    """The receiver, built at its first call: its keys are in the store."""

    def __init__(self) -> None:
        self._app: Receiver | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            self._app = await asyncio.to_thread(_make_receiver)
        await self._app(scope, receive, send)

    async def end(self) -> None:
        """Let go of what it keeps open, and be built anew if it is called again."""
        app, self._app = self._app, None
        if app is not None:
            await app.end()


_RECEIVER = _LateReceiver()


def _make_receiver() -> Receiver:
    store = find_store()
    return make_stored_app(
        store, dialects=partial(read_dialects, store), public_url=read_public_url()
    )


def _store_if_any() -> Store | None:
    try:
        return find_store()
    except AirflowNotFoundException:
        return None


@contextlib.asynccontextmanager
async def _applying(_: FastAPI) -> AsyncIterator[None]:
    """Apply receipts in the background for as long as the server runs."""
    async with applying(_store_if_any):
        try:
            yield
        finally:
            await _RECEIVER.end()
