"""Run the receiver alone, with uvicorn."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import check_schema
from smsflow_provider.receiver.stored import applying, make_stored_app


def serve(store: Store, *, host: str, port: int) -> None:
    """
    Listen until interrupted; apply what comes in.

    Raises:
        SchemaError: The store is not the one this version needs; nothing is listened to.
        ConfigError: The address cannot be listened on: most often its port is taken.
    """
    check_schema(store)
    with _listening(host, port) as listener:
        asyncio.run(_serve(store, listener))


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            "cannot listen: choose another --port or --host",
            host=host,
            port=port,
            cause=error.strerror,
        ) from None


async def _serve(store: Store, listener: socket.socket) -> None:
    config = uvicorn.Config(make_stored_app(store), log_level="warning", access_log=False)
    async with applying(lambda: store):
        await uvicorn.Server(config).serve(sockets=[listener])
