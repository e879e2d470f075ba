"""The event loop that senders run on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import uvloop

_T = TypeVar("_T")
#: New objects after which the garbage collector looks at them: those of some thousand messages.
_YOUNG: Final = 20_000


def run(coroutine: Coroutine[object, object, _T]) -> _T:
    """
    Run *coroutine* to its end on an event loop of its own, and give what it returns.

    The loop is uvloop's: a hand-over costs less on it than on asyncio's own.

    Raises:
        RuntimeError: There is an event loop in this thread already.
    """
    with _short_collections(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


@contextmanager
def _short_collections() -> Iterator[None]:
    """
    Keep what is loaded out of the garbage collector's sight, and let it come less often.

    A sender makes a few objects a message and drops them: looking through all modules for them
    again and again took a fifth of its time. Nothing here is in a cycle that would last.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
