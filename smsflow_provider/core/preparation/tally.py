"""The figures of a preparation, counted while its messages stream by as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import polars as pl

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.texts import top_changes

#: Messages that stand in for all others in a review.
_FIRST_SAMPLES: Final = 3
#: What messages are counted by. Every figure is a sum over these groups.
_BY: Final = ("region", "sender", "language", "encoding", "parts", "is_cut")
_GROUP_SCHEMA: Final = pl.Schema(
    {
        "region": pl.String,
        "sender": pl.String,
        "language": pl.String,
        "encoding": pl.String,
        "parts": pl.Int16,
        "is_cut": pl.Boolean,
        "messages": pl.Int64,
        "first": pl.Int64,
    }
)

#: What one part costs: country, sender to a number, or None where the price is unknown.
PriceOf = Callable[[str, str], float | None]


class Tally:
    """Counts what a reviewer needs to see; holds positions of samples, never their texts."""

    def __init__(self, targeted: int) -> None:
        self.targeted = targeted
        self.excluded: Counter[str] = Counter()
        self.details: Counter[tuple[str, str]] = Counter()
        #: Recipients whose row lacks a field the text requires, by field.
        self.missing: Counter[str] = Counter()
        #: Recipients whose text cannot be made, by reason.
        self.failures: Counter[str] = Counter()
        #: Marketing texts without an opt-out mention.
        self.without_mention = 0
        #: Recipients whose language has no text of its own, by what their row says.
        self.unknown_languages: Counter[str] = Counter()
        #: What transliteration replaced: a character and what it became, with how often.
        self.changes: Counter[tuple[str, str]] = Counter()
        self.to_deliver = 0
        self._groups = pl.DataFrame(schema=_GROUP_SCHEMA)
        self._longest = (0, 0, 0)
        self._shortest: tuple[int, int] | None = None

    def add_excluded(self, frame: pl.DataFrame) -> None:
        """Count recipients left out: columns ``reason`` and ``detail``."""
        for reason, detail, count in frame.group_by("reason", "detail").len().iter_rows():
            self.excluded[reason] += count
            if reason in _DETAILED:
                self.details[reason, detail] += count

    def add_messages(self, frame: pl.DataFrame) -> None:
        """Count messages: ``position``, ``units`` and the columns they are counted by."""
        if frame.is_empty():
            return
        self.to_deliver += frame.height
        counted = frame.group_by(_BY).agg(
            pl.len().cast(pl.Int64).alias("messages"),
            pl.col("position").min().cast(pl.Int64).alias("first"),
        )
        self._groups = _summed(pl.concat([self._groups, counted.cast(_GROUP_SCHEMA)]))
        self._look_at_lengths(frame)

    def _look_at_lengths(self, frame: pl.DataFrame) -> None:
        """Remember the first of the longest, and the first of the shortest."""
        sizes = frame.select("parts", "units", "position")
        longest = sizes.filter(pl.col("parts") == pl.col("parts").max())
        longest = longest.filter(pl.col("units") == pl.col("units").max())
        parts, units, position = longest.row(0)
        self._longest = max(self._longest, (parts, units, -position))
        shortest = sizes.filter(pl.col("units") == pl.col("units").min())
        found = (int(shortest["units"][0]), int(shortest["position"][0]))
        self._shortest = min(self._shortest or found, found)

    @property
    def parts(self) -> int:
        """Parts of all messages."""
        return int(self._groups.select((pl.col("parts") * pl.col("messages")).sum()).item())

    @property
    def cut(self) -> int:
        """Messages of which the gateway cuts a character in two."""
        return int(self._groups.filter("is_cut")["messages"].sum())

    @property
    def longest_parts(self) -> int:
        """Most parts of one message; 0 without any."""
        return self._longest[0]

    def counts(self, name: str) -> dict[Any, int]:
        """Count messages by ``region``, ``sender``, ``language``, ``encoding`` or ``parts``."""
        found = self._groups.group_by(name).agg(pl.col("messages").sum())
        return dict(found.sort("messages", name, descending=[True, False]).iter_rows())

    def parts_by(self, *names: str) -> pl.DataFrame:
        """Sum ``messages`` and ``parts`` by some of the columns messages are counted by."""
        total = (pl.col("parts").cast(pl.Int64) * pl.col("messages")).sum().alias("parts")
        return (
            self._groups.group_by(names)
            .agg(pl.col("messages").sum(), total)
            .sort("messages", *names, descending=[True, *[False for _ in names]])
        )

    def samples(self, price_of: PriceOf = lambda _country, _sender: 1.0) -> dict[str, Any]:
        """
        Choose messages worth looking at, by position.

        Returns:
            ``first`` (a list), ``longest``, ``shortest``, ``dearest``, and by value the first of
            each in ``encodings``, ``languages``, ``parts``. Empty without a message.
        """
        if self._shortest is None:
            return {}
        return {
            "first": list(range(1, min(self.to_deliver, _FIRST_SAMPLES) + 1)),
            "longest": -self._longest[2],
            "shortest": self._shortest[1],
            "dearest": self._dearest(price_of),
            "encodings": self._firsts("encoding"),
            "languages": self._firsts("language"),
            "parts": self._firsts("parts"),
        }

    def _dearest(self, price_of: PriceOf) -> int:
        """The first of those that cost most; where a price is unknown it counts as none."""
        costs = [
            (parts * (price_of(region, sender) or 0.0), parts, -first)
            for region, sender, parts, first in self._groups.select(
                "region", "sender", "parts", "first"
            ).iter_rows()
        ]
        return -int(max(costs)[2])

    def _firsts(self, name: str) -> dict[str, int]:
        found = self._groups.group_by(name).agg(pl.col("first").min()).sort("first")
        return {str(value): first for value, first in found.iter_rows() if value not in (None, "")}

    def figures(self) -> dict[str, Any]:
        """Write the figures as JSON values, apart from samples and cost."""
        parts = self.parts_by("region")
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
            "encodings": self.counts("encoding"),
            "by_parts": {str(n): count for n, count in sorted(self.counts("parts").items())},
            "languages": {name: n for name, n in self.counts("language").items() if name},
            "senders": self.counts("sender"),
            "regions": {
                region: {"messages": messages, "parts": total}
                for region, messages, total in parts.iter_rows()
            },
            "longest_parts": self.longest_parts,
            "transliterated": top_changes(self.changes),
        }


#: Reasons of which the review shows the details, because each asks for another remedy.
_DETAILED: Final = frozenset(
    one.value
    for one in Exclusion
    if one not in {Exclusion.NO_ADDRESS, Exclusion.DUPLICATE, Exclusion.SIZE_LIMIT}
)


def _summed(groups: pl.DataFrame) -> pl.DataFrame:
    return groups.group_by(_BY).agg(pl.col("messages").sum(), pl.col("first").min())
