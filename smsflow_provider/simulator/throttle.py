"""What passes in any sliding second: limited, or only watched."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping


class Throttle:
    """
    Lets at most so many messages (or parts) through in any second.

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
        wait_s = self.left_s(count, limit=limit, now_s=now_s)
        if wait_s == 0:
            self.note(count, now_s=now_s)
        return wait_s

    def left_s(self, count: int, *, limit: int, now_s: float) -> float:
        """Answer as `wait_s`, and let nothing pass."""
        self._forget(now_s)
        if limit and self._passed and self._sum + count > limit:
            return self._passed[0][0] + 1.0 - now_s
        return 0.0

    def note(self, count: int, *, now_s: float) -> int:
        """Let *count* pass, whatever the limit. Returns what passed in the second that ends now."""
        self._forget(now_s)
        self._passed.append((now_s, count))
        self._sum += count
        return self._sum

    def _forget(self, now_s: float) -> None:
        while self._passed and self._passed[0][0] <= now_s - 1.0:
            self._sum -= self._passed.popleft()[1]


class Peaks:
    """The most that came in any sliding second: in all, and of each sender."""

    def __init__(self) -> None:
        self._windows: dict[str | None, Throttle] = {}
        self._most: dict[str | None, int] = {}

    def note(self, counts: Mapping[str, int], *, now_s: float) -> None:
        """Count what came at *now_s*, by sender."""
        for sender, count in [*counts.items(), (None, sum(counts.values()))]:
            window = self._windows.setdefault(sender, Throttle())
            within = window.note(count, now_s=now_s)
            self._most[sender] = max(self._most.get(sender, 0), within)

    def as_dict(self) -> dict[str, object]:
        """Give ``all``, and ``senders`` by name."""
        senders = {sender: most for sender, most in self._most.items() if sender is not None}
        return {"all": self._most.get(None, 0), "senders": senders}
