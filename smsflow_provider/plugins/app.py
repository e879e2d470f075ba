"""The application at ``/smsflow``: routes for people behind Airflow's login, one for gateways."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request

from smsflow_provider.core.delivery.tokens import Signer
from smsflow_provider.core.errors import NotFoundError, SmsflowError, StoreError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import callback_keys
from smsflow_provider.core.store.receipts import (
    ReceivedReceipt,
    append_receipts,
    apply_all_receipts,
)
from smsflow_provider.hooks.find_store import find_store
from smsflow_provider.plugins.api import deliveries, pages
from smsflow_provider.receiver.app import make_app

#: Seconds between two rounds of applying receipts that came in.
APPLY_EVERY_S = 1.0

log = structlog.get_logger(__name__)


@cache
def application() -> FastAPI:
    """Build the application once a process. Opens nothing: the store is reached when used."""
    app = FastAPI(title="smsflow", version="1", lifespan=_applying)
    app.include_router(deliveries.router, prefix="/api/v1")
    app.include_router(pages.router)
    app.add_exception_handler(SmsflowError, _problem)
    # Behind no login: gateways bring a token of ours, and the receiver checks it.
    app.mount("/", _LateReceiver())
    return app


async def _problem(_: Request, error: Exception) -> JSONResponse:
    """Tell an error as problem+json (RFC 9457), without personal data."""
    status = 404 if isinstance(error, NotFoundError) else 409
    if isinstance(error, StoreError) and status != 404:
        status = 503
    facts = error.facts if isinstance(error, SmsflowError) else {}
    return JSONResponse(
        {"title": str(error), "status": status, **{k: str(v) for k, v in facts.items()}},
        status_code=status,
        media_type="application/problem+json",
    )


class _LateReceiver:
    """The receiver, built at its first call: its keys are in the store."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            self._app = await asyncio.to_thread(_make_receiver)
        await self._app(scope, receive, send)


def _make_receiver() -> Any:
    store = find_store()

    async def append(receipts: Sequence[ReceivedReceipt]) -> None:
        await asyncio.to_thread(_append, store, receipts)

    return make_app(signer=Signer(callback_keys(store)), append=append)


def _append(store: Store, receipts: Sequence[ReceivedReceipt]) -> None:
    with store.transaction() as connection:
        append_receipts(connection, receipts)


@contextlib.asynccontextmanager
async def _applying(_: FastAPI) -> AsyncIterator[None]:
    """Apply receipts in the background for as long as the server runs."""
    task = asyncio.create_task(_apply_for_ever())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _apply_for_ever() -> None:
    while True:
        try:
            await asyncio.to_thread(_apply_once)
        except Exception as error:  # noqa: BLE001  the next round tries again
            log.warning("Receipts wait in the inbox", cause=type(error).__name__)
        await asyncio.sleep(APPLY_EVERY_S)


def _apply_once() -> None:
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415

    with contextlib.suppress(AirflowNotFoundException):
        apply_all_receipts(find_store())
