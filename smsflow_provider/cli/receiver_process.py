"""
A receiver process: ``python -m smsflow_provider.cli.receiver_process``.

Reads what to serve from the first line of standard input, as JSON, and ends when that closes.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from functools import partial
from typing import Any

from smsflow_provider.core.store.connection import Store
from smsflow_provider.hooks.dialects import read_dialects
from smsflow_provider.receiver.serve import Serving, serve, uvicorn_loop


async def _run(told: dict[str, Any]) -> None:
    store = Store(told["dsn"])
    serving = Serving(
        store=store,
        dialects=partial(read_dialects, store),
        public_url=told["public_url"],
    )
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(
        target=_wait_for_the_end, args=(loop, until), name="parent", daemon=True
    ).start()
    with socket.socket(fileno=told["fd"]) as listener:
        await serve(listener, serving, until=until)


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, until: asyncio.Event) -> None:
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(until.set)


def main() -> None:
    """Serve what standard input says."""
    told = json.loads(_first_line())
    with asyncio.Runner(loop_factory=uvicorn_loop()) as runner:
        runner.run(_run(told))


def _first_line() -> bytes:
    """Read byte by byte: what Python reads ahead, nobody else can wait for."""
    line = b""
    while not line.endswith(b"\n") and (piece := os.read(0, 1)):
        line += piece
    return line


if __name__ == "__main__":
    main()
