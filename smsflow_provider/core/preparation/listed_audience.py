"""The numbers of a saved audience whose people a delivery leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.number_value import NumberProblem
from smsflow_provider.core.preparation.numbers import read_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAudience:
    """Who is on the list, as numbers."""

    name: str
    #: UInt64, ascending, each once.
    numbers: pl.Series = field(repr=False)
    #: Rows whose phone cannot be read: these people are not left out.
    unreadable: int = 0

    def lines(self) -> list[LogLine]:
        """Warn of people who are on the list and cannot be found by their number."""
        if not self.unreadable:
            return []
        return [
            LogLine(
                level=Level.WARNING,
                event=LogEvent.EXCLUDED_AUDIENCE_UNREADABLE,
                problem=(
                    f"{self.unreadable} phones of the excluded audience {self.name!r} cannot be"
                    " read: those people are not left out"
                ),
                facts={"audience": self.name, "rows": self.unreadable},
            )
        ]


def read_listed(name: str, phones: Iterable[pl.Series], *, region: str | None) -> ListedAudience:
    """
    Read the numbers of an audience.

    Args:
        name: Its name, as the delivery says it.
        phones: The phone column, piece by piece.
        region: Country of numbers written the national way.

    Example:
        >>> listed = read_listed("vip", [pl.Series(["0612345678", "?", None])], region="FR")
        >>> listed.numbers.to_list(), listed.unreadable
        ([33612345678], 1)
    """
    pieces = [pl.Series("phone", [], dtype=pl.UInt64)]
    unreadable = 0
    for piece in phones:
        read = read_numbers(piece, region=region)
        pieces.append(read["phone"].drop_nulls().unique())
        wrong = read["problem"].cast(pl.String)
        unreadable += int((wrong.is_not_null() & (wrong != NumberProblem.NO_ADDRESS)).sum())
    numbers = pl.concat(pieces).unique().sort()
    return ListedAudience(name=name, numbers=numbers, unreadable=unreadable)
