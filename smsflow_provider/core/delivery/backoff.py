"""How long to leave alone what just said no."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

#: Wait before a message goes again whose own reason may pass, in seconds; doubled each time.
_OWN_S: Final = 5.0
_LONGEST_OWN_S: Final = 900.0


class Backoff:
    """How long to leave a gateway alone that certainly did not take a message."""

    def __init__(
        self, *, longest_s: float = 60.0, jitter: Callable[[], float] = random.random
    ) -> None:
        self._longest_s = longest_s
        self._jitter = jitter
        self._refusals = 0
        self._until = 0.0

    def refused(self, now: float, retry_after_s: float | None) -> None:
        """Note a certain refusal at *now* (monotonic seconds)."""
        if now < self._until and retry_after_s is None:
            return  # one of a crowd that left before the first refusal came back
        own = min(0.5 * 2**self._refusals, self._longest_s)
        wait = retry_after_s if retry_after_s is not None else own * (0.5 + self._jitter())
        self._refusals = min(self._refusals + 1, 16)
        self._until = max(self._until, now + min(wait, self._longest_s))

    def accepted(self) -> None:
        """Note that the gateway takes messages."""
        self._refusals = 0

    def left_s(self, now: float) -> float:
        """Seconds still to wait at *now*."""
        return max(0.0, self._until - now)


def own_wait_s(
    attempt: int, retry_after_s: float | None, *, jitter: Callable[[], float] = random.random
) -> float:
    """
    Say how long one message waits that met a temporary error of its own.

    Args:
        attempt: 0 for its first hand-over.
        retry_after_s: What the gateway asked for, if anything.

    Example:
        >>> own_wait_s(3, None, jitter=lambda: 0.5)
        40.0
    """
    if retry_after_s is not None:
        return min(retry_after_s, _LONGEST_OWN_S)
    doubled = _OWN_S * 2 ** min(attempt, 10)
    return float(min(doubled, _LONGEST_OWN_S) * (0.5 + jitter()))
