"""The event loop that senders run on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import uvloop

_T = TypeVar("_T")


def run(coroutine: Coroutine[object, object, _T]) -> _T:
    """
    Run *coroutine* to its end on an event loop of its own, and give what it returns.

    The loop is uvloop's: a hand-over costs less on it than on asyncio's own.

    Raises:
        RuntimeError: There is an event loop in this thread already.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
