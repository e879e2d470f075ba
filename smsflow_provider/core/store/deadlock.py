"""Running a transaction again that the server rolled back to end a deadlock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import psycopg

_TRIES: Final = 5
_T = TypeVar("_T")


def retried(act: Callable[[], _T]) -> _T:
    """
    Run *act*, a whole transaction, and again if the server chose it to end a deadlock.

    Raises:
        DeadlockDetected: Five times in a row.
    """
    for _ in range(_TRIES - 1):
        try:
            return act()
        except psycopg.errors.DeadlockDetected:
            continue
    return act()
