"""How long a query may take and how many people it may find, so that a slip ends as an error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from smsflow_provider.core.errors import AudienceError

#: Time of a query for which nobody said one.
USUAL_TIME: Final = timedelta(minutes=10)
#: Rows of a query for which nobody said how many it may have.
USUAL_ROWS: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What one query may cost. Beyond it there is no audience: never half of one.

    Example:
        >>> Limits(rows=2).check_rows(2, label="crm")
    """

    #: From asking to the last row, reading included. None: as long as it takes.
    time: timedelta | None = None
    #: Rows it may find. None: any number.
    rows: int | None = None

    def check_rows(self, count: int, *, label: str) -> None:
        """
        Refuse to go on with more rows than allowed.

        Raises:
            AudienceError: *count* rows have been read, and that is more.
        """
        if self.rows is not None and count > self.rows:
            raise AudienceError(
                "the query of the audience finds more rows than row_limit allows: nobody is taken",
                source=label,
                row_limit=self.rows,
            )


def in_words(time: timedelta) -> str:
    """
    Write a time as settings have it.

    Example:
        >>> in_words(timedelta(minutes=90)), in_words(timedelta(seconds=1.5))
        ('1h 30m', '1.5s')
    """
    minutes, seconds = divmod(time.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    pieces = [(f"{hours}h", hours), (f"{minutes}m", minutes), (f"{seconds:g}s", seconds)]
    return " ".join(text for text, amount in pieces if amount)
