"""A limit on messages in any sliding second."""

from __future__ import annotations

from collections import deque


class Throttle:
    """
    Lets at most so many messages through in any second.

    Time comes in with each call and never runs backwards. A batch larger than the limit
    passes when nothing else did within the second before it, as it never could otherwise.
    """

    def __init__(self) -> None:
        self._passed: deque[tuple[float, int]] = deque()
        self._sum = 0

    def wait_s(self, count: int, *, limit: int, now_s: float) -> float:
        """
        Ask to pass *count* messages.

        Returns:
            0 when they passed, else the seconds after which asking again may help.
        """
        while self._passed and self._passed[0][0] <= now_s - 1.0:
            self._sum -= self._passed.popleft()[1]
        if limit and self._passed and self._sum + count > limit:
            return self._passed[0][0] + 1.0 - now_s
        self._passed.append((now_s, count))
        self._sum += count
        return 0.0
