"""Until when a request may leave: known by the sender, kept by the transport."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LEAVE_BY: ContextVar[float] = ContextVar("smsflow_leave_by", default=math.inf)


@contextmanager
def leaving_by(moment: float) -> Iterator[None]:
    """
    Let what is sent in the block leave until *moment* of the monotonic clock, and no later.

    A process may be frozen at any point, and wake up when others have taken over its work.
    """
    token = _LEAVE_BY.set(moment)
    try:
        yield
    finally:
        _LEAVE_BY.reset(token)


def is_too_late() -> bool:
    """Whether a request must not leave any more. Asked just before its first byte does."""
    return time.monotonic() > _LEAVE_BY.get()
