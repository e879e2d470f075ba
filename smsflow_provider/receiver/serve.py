"""Run the receiver alone, with uvicorn; one of the processes that share a port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.store.connection import Store
from smsflow_provider.receiver.stored import make_stored_app

#: Seconds an idle connection is kept: gateways that report a lot come back on the same one.
KEEP_ALIVE_S = 30
#: Connections of one process; more are turned away with 503.
CONNECTION_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What one process serves."""

    store: Store
    #: Reads the gateways by connection; see ``make_app``.
    dialects: Callable[[], Mapping[str, Dialect]] = field(default=dict)
    #: Where gateways reach the receiver.
    public_url: str = ""


def listen(host: str, port: int) -> socket.socket:
    """
    Listen, for this process or for those that get the socket.

    Raises:
        ConfigError: The address cannot be listened on: most often its port is taken.
    """
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


async def serve(listener: socket.socket, serving: Serving, *, until: asyncio.Event) -> None:
    """
    Take calls on *listener* until interrupted, or until the event is set; answers what it has.

    What comes in is stored, not applied: that is work for another process.

    Run it on an event loop of uvloop, through ``uvicorn_loop``: half as fast again.
    """
    app = make_stored_app(serving.store, dialects=serving.dialects, public_url=serving.public_url)
    server = uvicorn.Server(_config(app))
    async with _ended_by(until, server):
        await server.serve(sockets=[listener])


def uvicorn_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Give what makes an event loop: uvloop's."""
    import uvloop  # noqa: PLC0415  the plugin has a loop of its own

    return uvloop.new_event_loop


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=CONNECTION_LIMIT,
        timeout_graceful_shutdown=15,
    )


@contextlib.asynccontextmanager
async def _ended_by(until: asyncio.Event, server: uvicorn.Server) -> AsyncIterator[None]:
    async def wait() -> None:
        await until.wait()
        server.should_exit = True

    task = asyncio.create_task(wait())
    try:
        yield
    finally:
        task.cancel()
