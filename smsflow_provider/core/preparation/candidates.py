"""Everybody of an audience as compact columns: who is still in, who is out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.errors import AudienceError
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.number_value import NumberKind, NumberProblem
from smsflow_provider.core.preparation.rule_columns import (
    RANKINGS,
    RuleColumn,
    dense_ranks,
    thresholds_of,
)
from smsflow_provider.core.preparation.short_texts import ShortTexts

#: Rows of a block: what is made on the way is never larger than this.
BLOCK_ROWS: Final = 500_000

Rows = NDArray[np.intp]
"""Places of rows, from 0: row number n of the audience stands at place n - 1."""

#: How problems and kinds stand in the columns.
PROBLEM_CODE: Final = {one: code for code, one in enumerate(NumberProblem, start=1)}
KIND_CODE: Final = {one: code for code, one in enumerate(NumberKind, start=1)}

_REASONS: Final = tuple(Exclusion)
_CODE_OF: Final = {reason: code for code, reason in enumerate(_REASONS, start=1)}


def _enum_of(kind: type[StrEnum]) -> pl.Enum:
    return pl.Enum([one.value for one in kind])


PROBLEMS: Final = _enum_of(NumberProblem)
KINDS: Final = _enum_of(NumberKind)
REASONS: Final = _enum_of(Exclusion)


@dataclass(eq=False, kw_only=True, repr=False)
class Columns:
    """One value a row, each as small as it can be. Code 0 stands for none."""

    #: E.164 digits; 0: none.
    phone: NDArray[np.uint64]
    #: 1 + place of the problem in ``NumberProblem``.
    problem: NDArray[np.uint8]
    #: 1 + place of the kind in ``NumberKind``.
    kind: NDArray[np.uint8]
    #: Code in ``Candidates.regions``.
    region: NDArray[np.uint16]
    #: Code in ``Candidates.senders``.
    sender: NDArray[np.uint16]
    #: 1 + place of the reason in ``Exclusion``; 0: still in.
    reason: NDArray[np.uint8]
    #: Code of the text that says what exactly.
    detail: NDArray[np.uint16]
    #: 1 + place of the first user filter that holds.
    filter: NDArray[np.uint16] | None = None
    #: By name of a rule column: the place of its value among all values, from 1; 0: no value.
    ranks: dict[str, NDArray[np.uint32]] = field(default_factory=dict)
    #: By name of a rule column: a number of messages; -1: no value.
    thresholds: dict[str, NDArray[np.int16]] = field(default_factory=dict)


class CandidateBuilder:
    """
    Collects the rows of an audience, frame by frame, into ``Candidates``.

    Keeps 17 bytes a row, 2 more with user filters, 4 more for each ranking and 2 for each
    threshold; the values of a ranking are kept as they are until ``finish``.

    Args:
        count: How many rows there will be.
    """

    def __init__(self, count: int) -> None:
        self._columns = Columns(
            phone=np.zeros(count, dtype=np.uint64),
            problem=np.zeros(count, dtype=np.uint8),
            kind=np.zeros(count, dtype=np.uint8),
            region=np.zeros(count, dtype=np.uint16),
            sender=np.zeros(count, dtype=np.uint16),
            reason=np.zeros(count, dtype=np.uint8),
            detail=np.zeros(count, dtype=np.uint16),
        )
        self._count = count
        self._filled = 0
        self._regions = ShortTexts("regions")
        self._senders = ShortTexts("senders")
        self._rankings: dict[str, list[pl.Series]] = {}

    def add(self, numbers: pl.DataFrame, rule_columns: pl.DataFrame | None = None) -> None:
        """
        Append the rows of one frame.

        Args:
            numbers: What ``read_numbers`` gave: phone, problem, region, kind.
            rule_columns: Columns named as in ``RuleColumn``, and thresholds under names of their
                own; the same columns in every frame. None: none.

        Raises:
            AudienceError: More rows than were announced.
            ConfigError: A rule column of a type that cannot be ranked or counted.
        """
        rows = slice(self._filled, self._filled + numbers.height)
        if rows.stop > self._count:
            raise self._another_count(rows.stop)
        columns = self._columns
        columns.phone[rows] = numbers["phone"].fill_null(0).to_numpy()
        columns.problem[rows] = _codes(numbers["problem"], kind=PROBLEMS)
        columns.kind[rows] = _codes(numbers["kind"], kind=KINDS)
        columns.region[rows] = self._regions.codes_of(numbers["region"])
        for values in rule_columns if rule_columns is not None else ():
            self._add_rule_column(values, rows)
        self._filled = rows.stop

    def _add_rule_column(self, values: pl.Series, rows: slice) -> None:
        columns, name = self._columns, values.name
        if name == RuleColumn.SENDER:
            columns.sender[rows] = self._senders.codes_of(values)
        elif name == RuleColumn.FILTER:
            if columns.filter is None:
                columns.filter = np.zeros(self._count, dtype=np.uint16)
            columns.filter[rows] = values.fill_null(0).cast(pl.UInt16).to_numpy()
        elif name in RANKINGS:
            self._rankings.setdefault(name, []).append(values)
        else:
            made = columns.thresholds.setdefault(name, np.full(self._count, -1, dtype=np.int16))
            made[rows] = thresholds_of(values)

    def finish(self) -> Candidates:
        """
        Give the candidates; the builder is of no more use.

        Raises:
            AudienceError: Fewer rows than were announced.
            ConfigError: A rule column that cannot be ranked.
        """
        if self._filled != self._count:
            raise self._another_count(self._filled)
        for name in list(self._rankings):
            self._columns.ranks[name] = dense_ranks(self._rankings.pop(name))
        return Candidates(self._columns, regions=self._regions, senders=self._senders)

    def _another_count(self, found: int) -> AudienceError:
        return AudienceError(
            "the audience has another number of rows than it says",
            expected=self._count,
            found=found,
        )


def _codes(values: pl.Series, *, kind: pl.Enum) -> NDArray[Any]:
    """Number the members of an enumeration from 1; null is 0."""
    places = values.cast(kind).to_physical().cast(pl.UInt8)
    return (places + 1).fill_null(0).to_numpy()


class Candidates:
    """
    Everybody of an audience, row n at place n - 1. Made by ``CandidateBuilder`` or ``gather``.

    Only ``leave_out`` and ``leave_out_losers`` change anything, and only for those still in: the
    first reason that holds wins. Not thread-safe. Neither repr nor errors show a number.
    """

    def __init__(self, columns: Columns, *, regions: ShortTexts, senders: ShortTexts) -> None:
        self.columns = columns
        self.regions = regions
        self.senders = senders
        self._details = ShortTexts("details of exclusions")
        self._losers: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
        self._winners: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)

    @classmethod
    def gather(
        cls, frames: Iterable[tuple[pl.DataFrame, pl.DataFrame | None]], *, count: int
    ) -> Candidates:
        """Collect pairs of numbers and rule columns; see ``CandidateBuilder.add``."""
        builder = CandidateBuilder(count)
        for numbers, rule_columns in frames:
            builder.add(numbers, rule_columns)
        return builder.finish()

    def __len__(self) -> int:
        return len(self.columns.reason)

    def __repr__(self) -> str:
        return f"Candidates({len(self)} rows)"

    def waiting(self) -> Iterator[Rows]:
        """Hand out the places of those still in, a block at a time, in order."""
        for start in range(0, len(self), BLOCK_ROWS):
            block = self.columns.reason[start : start + BLOCK_ROWS]
            yield np.flatnonzero(block == 0) + start

    @property
    def waiting_count(self) -> int:
        """How many are still in."""
        return sum(len(rows) for rows in self.waiting())

    def rule_values(self, name: str) -> NDArray[Any]:
        """
        Give a rule column: numbers of filters, ranks or thresholds; see ``Columns``.

        Raises:
            ValueError: It was never added: that must not pass for a column without values.
        """
        columns = self.columns
        filters = {} if columns.filter is None else {RuleColumn.FILTER.value: columns.filter}
        known: dict[str, NDArray[Any]] = {**filters, **columns.ranks, **columns.thresholds}
        if name not in known and len(self):
            raise ValueError(f"there is no rule column {name!r}")
        return known.get(name, np.empty(0, dtype=np.uint32))

    def leave_out(
        self, rows: NDArray[Any], reason: Exclusion, detail: str | Sequence[str] = ""
    ) -> int:
        """
        Leave rows out, with one reason; those that are out already keep theirs.

        Args:
            rows: Places from 0, each once.
            reason: Why.
            detail: What exactly: one text for all, or one a row.

        Returns:
            How many were still in.
        """
        is_in = self.columns.reason[rows] == 0
        codes: Any
        if isinstance(detail, str):
            codes = self._details.code_of(detail)
        else:
            codes = self._details.codes_of(pl.Series(detail, dtype=pl.String))[is_in]
        chosen = rows[is_in]
        self.columns.reason[chosen] = _CODE_OF[reason]
        self.columns.detail[chosen] = codes
        return len(chosen)

    def leave_out_losers(self, losers: NDArray[Any], winners: NDArray[Any]) -> None:
        """
        Leave rows out as duplicates of others. Called once.

        Args:
            losers: Places of rows that are still in, each once.
            winners: For each, the place of the row that stays.
        """
        order = np.argsort(losers, kind="stable")
        self._losers = losers[order].astype(np.uint32)
        self._winners = winners[order].astype(np.uint32)
        self.leave_out(self._losers, Exclusion.DUPLICATE)

    def still_in(self) -> pl.Series:
        """Tell for each row whether it is still in: a Boolean series, in order."""
        return pl.Series("still_in", self.columns.reason == 0)

    def slice(self, start: int, count: int) -> pl.DataFrame:
        """
        Show *count* rows from place *start* on, at most.

        Returns:
            Columns row_number UInt32 (from 1), phone UInt64|null, problem, kind, region, sender
            ("" for none), reason (null: still in), detail ("" for none), winner_row UInt32|null
            (the row number of the duplicate that stays). The texts are enumerations.
        """
        end = min(start + count, len(self))
        rows, columns = slice(start, end), self.columns
        phones = pl.Series("phone", columns.phone[rows])
        return pl.DataFrame(
            [
                pl.Series("row_number", np.arange(start + 1, end + 1, dtype=np.uint32)),
                phones.set(phones == 0, None),
                _named("problem", columns.problem[rows], kind=PROBLEMS),
                _named("kind", columns.kind[rows], kind=KINDS),
                self.regions.texts_of(columns.region[rows]).alias("region"),
                self.senders.texts_of(columns.sender[rows]).alias("sender"),
                _named("reason", columns.reason[rows], kind=REASONS),
                self._details.texts_of(columns.detail[rows]).alias("detail"),
                self._winner_row(start, end),
            ]
        )

    def _winner_row(self, start: int, end: int) -> pl.Series:
        first, last = np.searchsorted(self._losers, [start, end])
        found = np.zeros(end - start, dtype=np.uint32)
        found[self._losers[first:last] - np.uint32(start)] = self._winners[first:last] + 1
        rows = pl.Series("winner_row", found)
        return rows.set(rows == 0, None)

    def counts(self) -> dict[Exclusion, int]:
        """Count those left out by reason, in the order of reasons; none is not named."""
        found = np.bincount(self.columns.reason, minlength=len(_REASONS) + 1)[1:]
        return {reason: int(one) for reason, one in zip(_REASONS, found, strict=True) if one}

    def details(self) -> Counter[tuple[Exclusion, str]]:
        """Count those left out by reason and detail."""
        counted: Counter[tuple[Exclusion, str]] = Counter()
        for start in range(0, len(self), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            keys = self.columns.reason[rows].astype(np.uint32) << 16
            keys |= self.columns.detail[rows]
            for key, one in zip(*np.unique(keys, return_counts=True), strict=True):
                if key >> 16:
                    reason = _REASONS[int(key >> 16) - 1]
                    counted[reason, self._details[int(key & 0xFFFF)]] += int(one)
        return counted

    def winner_rows(self) -> pl.DataFrame:
        """Name every duplicate and who stays: row_number and winner_row UInt32, from 1."""
        values: Mapping[str, Any] = {
            "row_number": self._losers + np.uint32(1),
            "winner_row": self._winners + np.uint32(1),
        }
        return pl.DataFrame(values)


def _named(name: str, codes: NDArray[np.uint8], *, kind: pl.Enum) -> pl.Series:
    """Name members of an enumeration by their numbers from 1; 0 is null."""
    numbers = pl.Series(name, codes)
    return (numbers.set(numbers == 0, None) - 1).cat.to(kind)
