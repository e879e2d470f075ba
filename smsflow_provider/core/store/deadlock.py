"""Running a transaction again that the server rolled back to end a deadlock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Final, ParamSpec, TypeVar

import psycopg

_TRIES: Final = 5
_P = ParamSpec("_P")
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


def retrying(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let every call of *act*, a whole transaction, be ``retried``."""

    @wraps(act)
    def again(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return retried(partial(act, *args, **kwargs))

    return again
