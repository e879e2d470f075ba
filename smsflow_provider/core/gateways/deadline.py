"""Until when a request may leave: known by the sender, kept by the transport."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar, Token
from types import TracebackType

_LEAVE_BY: ContextVar[float] = ContextVar("smsflow_leave_by", default=math.inf)


class LeavingBy:
    """
    Let what is sent in the block leave until *moment* of the monotonic clock, and no later.

    A process may be frozen at any point, and wake up when others have taken over its work.
    """

    __slots__ = ("_before", "_moment")

    def __init__(self, moment: float) -> None:
        self._moment = moment
        self._before: Token[float] | None = None

    def __enter__(self) -> None:
        self._before = _LEAVE_BY.set(self._moment)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            _LEAVE_BY.reset(self._before)


def is_too_late() -> bool:
    """Whether a request must not leave any more. Asked just before its first byte does."""
    return time.monotonic() > _LEAVE_BY.get()
