"""How far a delivery is that is being sent, how quickly it goes, and how long it will take."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smsflow_provider.core.content.durations import in_words
from smsflow_provider.core.model import SETTLED

#: The rate is that of the last so many seconds.
WINDOW_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a delivery stands. Its text is one line for a log: counts only."""

    #: Messages by what became of them; zeros are left out.
    counts: dict[str, int]
    settled: int
    to_deliver: int
    #: Messages settled a second, by all workers. None: not known yet.
    per_s: float | None
    #: Seconds it will take at this rate. None: not known, or nothing moves.
    left_s: float | None

    @property
    def left(self) -> int:
        """Messages that are not settled."""
        return max(0, self.to_deliver - self.settled)

    def __str__(self) -> str:
        """
        Say it in one line.

        Example:
            >>> print(Progress(counts={"accepted": 1200}, settled=1200, to_deliver=5000,
            ...                per_s=400.0, left_s=9.5))
            1,200 of 5,000 (accepted 1,200), 400/s, 10 s left
        """
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self.counts.items())
        pieces = [f"{self.settled:,} of {self.to_deliver:,}{f' ({kinds})' if kinds else ''}"]
        if self.per_s is not None:
            pieces.append(f"{self.per_s:,.0f}/s" if self.per_s >= 10 else f"{self.per_s:.1f}/s")
        if self.left_s is not None:
            pieces.append(f"{in_words(self.left_s)} left")
        return ", ".join(pieces)


class ProgressMeter:
    """Measures the rate of one delivery over the last half minute. Not thread-safe."""

    def __init__(self, *, to_deliver: int) -> None:
        self._to_deliver = to_deliver
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, figures: Mapping[str, int], *, now: float) -> Progress:
        """
        Take in where the messages stand.

        Args:
            figures: Messages by kind; kinds that end no message are ignored.
            now: Monotonic seconds.
        """
        counts = {kind: figures[kind] for kind in SETTLED if figures.get(kind)}
        settled = sum(counts.values())
        self._seen.append((now, settled))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()
        per_s = self._rate()
        left = max(0, self._to_deliver - settled)
        return Progress(
            counts=counts,
            settled=settled,
            to_deliver=self._to_deliver,
            per_s=per_s,
            left_s=left / per_s if per_s else None,
        )

    def _rate(self) -> float | None:
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        # A doubt that is resolved, or a message that goes again, may take the sum back.
        return max(0, after - before) / (last - first) if last > first else None
