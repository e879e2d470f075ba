"""Run the receiver alone, with uvicorn."""

from __future__ import annotations

import asyncio

import uvicorn

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import check_schema
from smsflow_provider.receiver.stored import applying, make_stored_app


def serve(store: Store, *, host: str, port: int) -> None:
    """
    Listen until interrupted; apply what comes in.

    Raises:
        SchemaError: The store is not the one this version needs; nothing is listened to.
    """
    check_schema(store)
    asyncio.run(_serve(store, host=host, port=port))


async def _serve(store: Store, *, host: str, port: int) -> None:
    config = uvicorn.Config(
        make_stored_app(store), host=host, port=port, log_level="warning", access_log=False
    )
    async with applying(lambda: store):
        await uvicorn.Server(config).serve()
