"""The figures of a preparation, counted while it streams by."""

from __future__ import annotations

from collections import Counter
from typing import Any

from smsflow_provider.core.model import Encoding, Exclusion
from smsflow_provider.core.preparation.exclude import Excluded, Kept
from smsflow_provider.core.preparation.personalise import Text

#: Messages that stand in for all others in a review.
_FIRST_SAMPLES = 3


class Tally:
    """Counts what a reviewer needs to see; holds positions of samples, never their texts."""

    def __init__(self) -> None:
        self.targeted = 0
        self.to_deliver = 0
        self.parts = 0
        self.excluded: Counter[str] = Counter()
        self.details: Counter[tuple[str, str]] = Counter()
        self.encodings: Counter[str] = Counter()
        self.by_parts: Counter[int] = Counter()
        self.regions: Counter[str] = Counter()
        self.region_parts: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.cut = 0
        self._longest = (0, 0, 0)
        self._first_ucs2 = 0

    def add_excluded(self, one: Excluded) -> None:
        """Count a recipient left out."""
        self.excluded[one.reason.value] += 1
        if one.reason is Exclusion.INVALID_NUMBER or one.reason is Exclusion.MISSING_FIELD:
            self.details[one.reason.value, one.detail] += 1

    def add_message(self, kept: Kept, text: Text) -> int:
        """Count a message. Returns its position, from 1."""
        self.to_deliver += 1
        position = self.to_deliver
        self.parts += text.parts
        self.encodings[text.encoding.value] += 1
        self.by_parts[text.parts] += 1
        self.regions[kept.region] += 1
        self.region_parts[kept.region] += text.parts
        self.cut += text.is_cut
        self._longest = max(self._longest, (text.parts, text.units, -position))
        if text.encoding is Encoding.UCS2 and not self._first_ucs2:
            self._first_ucs2 = position
        return position

    def samples(self) -> list[int]:
        """Positions of messages worth looking at: the first ones, the longest, the first UCS-2."""
        first = range(1, min(self.to_deliver, _FIRST_SAMPLES) + 1)
        chosen = [*first, -self._longest[2], self._first_ucs2]
        return [position for position in dict.fromkeys(chosen) if position]

    def figures(self) -> dict[str, Any]:
        """Write the figures as JSON values."""
        return {
            "excluded": {
                reason.value: self.excluded[reason.value]
                for reason in Exclusion
                if self.excluded[reason.value]
            },
            "details": [
                {"reason": reason, "detail": detail, "recipients": count}
                for (reason, detail), count in self.details.most_common(50)
            ],
            "encodings": dict(self.encodings),
            "by_parts": {str(parts): count for parts, count in sorted(self.by_parts.items())},
            "regions": {
                region: {"messages": count, "parts": self.region_parts[region]}
                for region, count in self.regions.most_common()
            },
            "longest_parts": self._longest[0],
            "samples": self.samples(),
        }
